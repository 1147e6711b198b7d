// SPDX-License-Identifier: Apache-2.0

package egress

import "time"

const (
	maxAskAgain = 5 * time.Minute
	minAskAgain = 10 * time.Second
	// askAgainUnnotified is how often objects ask again that nobody wakes.
	askAgainUnnotified = time.Second
)

func (g *Gate) delay(t, now time.Time, w *waiter) *Delay {
	d := &Delay{Reason: g.reason(t, w), Since: now.Add(w.since.Sub(t)), For: maxAskAgain}
	if left := w.expires.Sub(now); !w.expires.IsZero() && left > 0 {
		d.For = min(d.For, max(left/4, minAskAgain))
	}
	if g.after == nil {
		d.For = askAgainUnnotified
	}
	return d
}

// reason is what w waits for.
func (g *Gate) reason(t time.Time, w *waiter) string {
	l := w.lane
	switch {
	case w.class == classParked:
		return ReasonClientPaused
	case l.breaker.open:
		return ReasonBreaker
	case l.pause.on(t):
		return ReasonPaused
	case l.refusedTooOften(t, w):
		return ReasonRefusals
	case !l.host.hasRate(t, w.class == classPlanned):
		return ReasonRate
	}
	if reason := g.lacksWorker(t, w); reason != "" {
		return reason
	}
	return ReasonHostInFlight
}
