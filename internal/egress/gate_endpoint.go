package egress

import (
	"time"

	"golang.org/x/time/rate"
)

const (
	// A stranger gets two calls at once, and twice as many after each success, until the cap: a hundred objects that meet a
	// 429 or a hanging server learn it from two calls. An endpoint that has not answered for a while is a stranger again.
	strangersInFlight = 2
	strangerAfter     = time.Minute
	strangersWait     = time.Second

	throttledDefault = 30 * time.Second
	throttledMin     = time.Second
	throttledMax     = time.Minute

	// herdShare is the part of the rate that is for unplanned calls. A herd that is let in at the full rate comes back at the full rate when
	// its tokens are renewed, and then there is no room to make up for what chance piles up: renewals would be late by many seconds.
	herdShare = 0.9

	breakerFailures = 5
	breakerMin      = 10 * time.Second
	breakerMax      = time.Minute
)

// endpointGate is what the gate knows of one endpoint.
type endpointGate struct {
	limit   int // calls in flight, at most
	qps     float64
	bucket  *rate.Limiter
	herd    *rate.Limiter // of unplanned calls, who need a token of both
	queue   *queue
	pace    pace
	askedAt time.Time

	inFlight int
	width    int       // calls in flight for now, 1 to limit: see strangersInFlight; 1 from a 429 to the next success
	okAt     time.Time // the last success
	proven   bool      // it has had a success, and not too long ago
	pausedTo time.Time
	breaker  breaker
}

// breaker is closed while opened is 0.
type breaker struct {
	failures int           // in a row
	opened   time.Duration // how long it is open for, until the next probe
	probeAt  time.Time
	probe    *Permit // in flight
}

func newEndpointGate(limits Limits, q *queue, now time.Time) *endpointGate {
	burst := max(1, int(limits.QPS))
	e := &endpointGate{
		limit:  limits.HostInFlight,
		qps:    limits.QPS,
		bucket: rate.NewLimiter(rate.Limit(limits.QPS), burst),
		herd:   rate.NewLimiter(rate.Limit(limits.QPS*herdShare), burst),
		queue:  q,
		okAt:   now,
	}
	e.width = min(strangersInFlight, e.limit)
	return e
}

// refusal returns nil when w may go now. The wait is not bounded yet.
func (e *endpointGate) refusal(now time.Time, w *waiter) *Wait {
	e.mindClock(now)
	place := e.queue.place(w)
	if open := e.breaker.opened > 0; open && e.breaker.probe != nil {
		return &Wait{Reason: ReasonBreaker, For: max(e.breaker.probeAt.Sub(now), frontWait) + e.byRate(w, place)}
	} else if open && now.Before(e.breaker.probeAt) {
		return &Wait{Reason: ReasonBreaker, For: e.breaker.probeAt.Sub(now) + e.byRate(w, place)}
	}
	if now.Before(e.pausedTo) {
		return &Wait{Reason: ReasonPaused, For: e.pausedTo.Sub(now) + e.byRate(w, place)}
	}
	slots, tokens := e.slots(now), int(e.tokens(now, w))
	room := min(slots, tokens)
	if e.queue.admits(w, room) {
		return nil
	}
	place = max(place, room) // the room that there is belongs to others
	if tokens < slots {
		return &Wait{Reason: ReasonRate, For: e.byTokens(now, w, place+1)}
	}
	return &Wait{Reason: ReasonHostInFlight, For: max(e.byRate(w, place+1-tokens), e.pace.wait(place, e.limit))}
}

// mindClock shortens what a clock that was set back would make too long.
func (e *endpointGate) mindClock(now time.Time) {
	e.pausedTo = earlier(e.pausedTo, now.Add(throttledMax))
	e.breaker.probeAt = earlier(e.breaker.probeAt, now.Add(breakerMax))
	e.okAt = earlier(e.okAt, now)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// slots is how many calls may begin now, but for the rate.
func (e *endpointGate) slots(now time.Time) int {
	if now.Sub(e.okAt) > strangerAfter {
		e.width, e.proven = min(e.width, strangersInFlight), false
	}
	return e.width - e.inFlight
}

// rate is what w's kind of calls has of the endpoint's rate, in calls a second.
func (e *endpointGate) rate(w *waiter) float64 {
	if w.unplanned {
		return e.qps * herdShare
	}
	return e.qps
}

// tokens is how many calls of w's kind the rate lets go now.
func (e *endpointGate) tokens(now time.Time, w *waiter) float64 {
	if w.unplanned {
		return min(e.bucket.TokensAt(now), e.herd.TokensAt(now))
	}
	return e.bucket.TokensAt(now)
}

// byRate is how long calls of w's kind take that go one after the other at their rate.
func (e *endpointGate) byRate(w *waiter, calls int) time.Duration {
	return seconds(float64(calls) / e.rate(w))
}

// byTokens is when the rate will have let that many calls go, and a little later: the bucket keeps what is not used
// meanwhile, so that who is overtaken once or comes in the wrong order need not ask again.
func (e *endpointGate) byTokens(now time.Time, w *waiter, calls int) time.Duration {
	spare := float64(e.bucket.Burst()-1) / 4
	return seconds((float64(calls)-e.tokens(now, w)+spare)/e.rate(w)) + time.Millisecond
}

// admit counts a call. The first one past an open breaker is its probe.
func (e *endpointGate) admit(now time.Time, w *waiter, p *Permit) {
	e.bucket.AllowN(now, 1)
	if w.unplanned {
		e.herd.AllowN(now, 1)
	}
	e.inFlight++
	if e.breaker.opened > 0 {
		e.breaker.probe = p
	}
}

// learn takes the result of a call that is no longer in flight.
func (e *endpointGate) learn(now time.Time, p *Permit, r Result) {
	probe := e.breaker.probe == p
	if probe {
		e.breaker.probe = nil
	}
	switch r.Kind {
	case OK:
		e.okAt, e.proven, e.breaker = now, true, breaker{}
		// A call from before a pause says nothing about the time after it.
		if !p.started.Before(e.pausedTo) {
			e.width = min(2*e.width, e.limit)
		}
	case Throttled:
		e.breaker = breaker{} // it answers
		e.width = 1
		if end := now.Add(throttle(r)); end.After(e.pausedTo) {
			e.pausedTo = end
		}
	case Unavailable:
		e.width = max(e.width/2, min(e.width, strangersInFlight))
		e.breaker.fail(now, probe)
	case Cancelled:
	}
}

func throttle(r Result) time.Duration {
	if !r.HasRetryAfter {
		return throttledDefault
	}
	return min(max(r.RetryAfter, throttledMin), throttledMax)
}

// fail counts a failure. While the breaker is open only its probe counts: the others began before it opened.
func (b *breaker) fail(now time.Time, probe bool) {
	b.failures++
	switch {
	case b.opened == 0 && b.failures < breakerFailures:
		return
	case b.opened == 0:
		b.opened = breakerMin
	case probe:
		b.opened = min(2*b.opened, breakerMax)
	default:
		return
	}
	b.probeAt = now.Add(b.opened)
}
