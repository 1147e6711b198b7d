// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"time"

	"golang.org/x/time/rate"
)

// unplannedShare is the part of the rate that is for calls that are no planned renewals. A herd that is let in at the full rate comes back at
// the full rate when its tokens are renewed, and then there is no room to make up for what chance piles up: renewals would be late by many
// seconds.
const unplannedShare = 0.9

// fastEnough is how soon an answer must have come, in the last minute, for more calls than the caps say.
const fastEnough = time.Second

// A host is what the gate knows of one host and port. Its rate and its places are for tokens and verifications together; what happens to
// the ones teaches nothing about the others.
type host struct {
	limit          int // calls in flight, at most
	qps            float64
	rate           *rate.Limiter
	unplanned      *rate.Limiter // of all but planned renewals, who need a token of both
	tokens, verify *lane
	// verifyPassed counts tokens' calls since a verification last went that waits.
	verifyPassed int
	askedAt      time.Time
	fastAt       time.Time // of the last answer that came soon
	timerAt      time.Time // when the host is looked at again at the latest. Zero: when something happens
}

func (g *Gate) host(t time.Time, name string) *host {
	h, ok := g.hosts[name]
	if !ok {
		qps, limit := g.limits.QPS, g.limits.HostInFlight
		burst := max(1, int(qps))
		h = &host{
			limit: limit, qps: qps,
			rate:      rate.NewLimiter(rate.Limit(qps), burst),
			unplanned: rate.NewLimiter(rate.Limit(qps*unplannedShare), burst),
		}
		h.tokens, h.verify = newLane(h, limit), newLane(h, max(1, limit/4))
		g.hosts[name] = h
	}
	h.askedAt = t
	return h
}

func (h *host) lane(verify bool) *lane {
	if verify {
		return h.verify
	}
	return h.tokens
}

func (h *host) inFlight() int { return h.tokens.inFlight + h.verify.inFlight }

func (h *host) fast(t time.Time) bool {
	return !h.fastAt.IsZero() && t.Sub(h.fastAt) <= time.Minute
}

// hasRate reports whether the rate lets a call of that class go now.
func (h *host) hasRate(t time.Time, planned bool) bool {
	return h.rate.TokensAt(t) >= 1 && (planned || h.unplanned.TokensAt(t) >= 1)
}

// rateAt is when the rate lets the next call go.
func (h *host) rateAt(t time.Time, planned bool) time.Time {
	wait := (1 - h.rate.TokensAt(t)) / h.qps
	if !planned {
		wait = max(wait, (1-h.unplanned.TokensAt(t))/(h.qps*unplannedShare))
	}
	if wait <= 0 {
		return t
	}
	return t.Add(time.Duration(min(wait, 1e6)*float64(time.Second)) + time.Microsecond) // of what is rounded, so that it is not too soon
}

// sweep forgets clients, and reports whether the host may be forgotten, too.
func (h *host) sweep(t time.Time) bool {
	h.tokens.sweep(t)
	h.verify.sweep(t)
	return t.Sub(h.askedAt) > rememberFor && len(h.tokens.clients) == 0 && len(h.verify.clients) == 0
}

// serve gives out the places it can: at this host, and at those where a waiter only lacks a worker.
func (g *Gate) serve(t time.Time, h *host) {
	g.unpark(t, h.tokens)
	g.unpark(t, h.verify)
	lanes := []*lane{h.tokens, h.verify}
	for _, l := range g.short {
		if l.host != h {
			lanes = append(lanes, l)
		}
	}
	touched := []*host{h}
	for !g.full() {
		best := g.best(t, lanes)
		if best == nil {
			break
		}
		g.grant(t, best)
		touched = append(touched, best.lane.host)
	}
	full := g.full() // then the lanes have not been asked who else could go
	g.short = g.short[:0]
	for _, l := range lanes {
		l.short = l.short || full && l.waiting > 0
		if l.short {
			g.short = append(g.short, l)
		} else if l.host != h {
			touched = append(touched, l.host)
		}
	}
	for _, h := range touched {
		g.arm(t, h)
	}
}

// best returns the waiter that goes next of several lanes, or nil if none can.
func (g *Gate) best(t time.Time, lanes []*lane) *waiter {
	var best *waiter
	for _, l := range lanes {
		if w := l.next(g, t); w != nil && (best == nil || w.goesBefore(best)) {
			best = w
		}
	}
	return best
}

// goesBefore decides between lanes: planned renewals first, verifications last; then the namespace that has the fewest calls in flight.
func (w *waiter) goesBefore(other *waiter) bool {
	switch a, b := w.precedence(), other.precedence(); {
	case a != b:
		return a < b
	case w.namespace.inFlight != other.namespace.inFlight:
		return w.namespace.inFlight < other.namespace.inFlight
	}
	return w.serial < other.serial
}

func (w *waiter) precedence() class {
	const everyTenth = 9
	switch {
	case w.verify && w.lane.host.verifyPassed >= everyTenth:
		return -1
	case w.verify:
		return classes
	}
	return min(w.class, classFailing)
}

// arm schedules another look at the host when a waiter may go just because time has passed.
func (g *Gate) arm(t time.Time, h *host) {
	at := sooner(t, h.tokens.opensAt(t), h.verify.opensAt(t))
	if at.IsZero() || !h.timerAt.IsZero() && !at.Before(h.timerAt) {
		return
	}
	h.timerAt = at
	g.call(at.Sub(t), func(t time.Time) {
		if h.timerAt.Equal(at) {
			h.timerAt = time.Time{}
		}
		g.serve(t, h)
	})
}

// sooner is the first of the times that are after t. Zero: there is none.
func sooner(t time.Time, times ...time.Time) time.Time {
	var first time.Time
	for _, at := range times {
		if at.After(t) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}
