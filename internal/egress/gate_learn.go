package egress

import "time"

const (
	throttledDefault = 30 * time.Second
	throttledMin     = time.Second
	pauseMost        = time.Minute
	clientPauseMost  = 24 * time.Hour
	// pauseEvidence is how much evidence pauses a host, sampleAfter when one call is let through in the pause.
	pauseEvidence = 2
	sampleAfter   = 10 * time.Second

	breakerEvidence = 5
	breakerMin      = 10 * time.Second
	breakerMax      = time.Minute
	// breakerHurry is how long after a probe a renewal may be the next one that has used half of its lead.
	breakerHurry = 5 * time.Second
)

// A pause keeps a host from being asked while it throttles everybody.
type pause struct {
	evidence
	from, to time.Time
	// sample is the call that was let through. Nil: none was.
	sample *Reservation
}

func (p *pause) on(t time.Time) bool { return t.Before(p.to) }

// sampledBy reports whether it is time to let one call through.
func (p *pause) sampledBy(t time.Time) bool {
	return p.sample == nil && !t.Before(p.from.Add(sampleAfter))
}

// end ends a pause whose time is over. What was known before it does not count after it.
func (p *pause) end(t time.Time) {
	if !p.to.IsZero() && !p.on(t) {
		*p = pause{}
	}
}

// A breaker keeps a host that does not serve anybody to one call at a time.
type breaker struct {
	evidence
	open    bool
	wait    time.Duration // from one probe to the next
	probeAt time.Time
	endedAt time.Time // of the last probe, or when the breaker opened
	probe   *Reservation
}

// learn takes the result of a call that is no longer in flight.
func (l *lane) learn(g *Gate, t time.Time, r *Reservation, result Result) {
	probe, sample := l.breaker.probe == r, l.pause.sample == r
	if probe {
		l.breaker.probe, l.breaker.endedAt = nil, t
	}
	if result.Kind == Cancelled {
		if sample {
			l.pause.sample = nil // it has shown nothing
		}
		return
	}
	switch fast := t.Sub(r.started) <= fastEnough; {
	case fast && result.Kind != Unavailable:
		l.host.fastAt = t
	case !fast && result.Kind == Unavailable:
		l.standing(r.namespace.name).behindTo = t.Add(behindFor)
	}
	c := r.client
	trusted := c.state == proven || l.proven == 0 || l.doubted
	switch result.Kind {
	case Served:
		l.served(t, r)
		if r.started.Before(c.throttledAt) {
			break // it was asked before the client was told to wait
		}
		c.pausedTo = time.Time{}
		g.become(t, l, c, proven, 0)
	case Refused, Answered:
		l.alive(t)
		if result.Kind == Refused && r.class != classPlanned {
			n := l.standing(r.namespace.name)
			n.refusedAt = append(n.refusedAt, t)
			l.refused[n] = true
		}
		if c.state == proven {
			g.become(t, l, c, unproven, 0)
		}
	case Throttled:
		if probe { // it answers, but nobody is served yet
			l.closeBreaker(t)
			l.doubted = true
		}
		if trusted || probe {
			l.throttled(t, c, pauseFor(result, pauseMost))
		}
		g.become(t, l, c, failing, c.failures+1)
		g.pauseClient(t, l, c, pauseFor(result, clientPauseMost))
	case Unavailable:
		if trusted || probe {
			l.failed(t, c, probe)
		}
		g.become(t, l, c, failing, c.failures+1)
	}
}

func pauseFor(r Result, most time.Duration) time.Duration {
	if !r.HasRetryAfter {
		return throttledDefault
	}
	return min(max(r.RetryAfter, throttledMin), most)
}

// alive closes the breaker. It opens the lane wider only if nobody has been throttled yet: then it takes a token.
func (l *lane) alive(t time.Time) {
	l.closeBreaker(t)
	if l.epoch == 0 {
		l.width = min(2*l.width, l.limit)
	}
}

func (l *lane) closeBreaker(t time.Time) {
	l.breaker = breaker{evidence: l.breaker.evidence}
	l.breaker.token(t)
}

// served ends a pause, and what was held against the host. A token that was asked for before the host began to throttle says nothing about the
// time after it.
func (l *lane) served(t time.Time, r *Reservation) {
	l.closeBreaker(t)
	if r.started.Before(l.pause.at) {
		return
	}
	if l.pause.on(t) {
		l.pause = pause{evidence: l.pause.evidence} // one call at a time until the next token
	} else {
		l.width = min(2*l.width, l.limit)
	}
	l.pause.token(t)
	l.doubted = false
}

// throttled takes down a 429 that speaks against the host: one call at a time until a token comes, and none after the second.
func (l *lane) throttled(t time.Time, c *client, d time.Duration) {
	l.pause.expire(t)
	l.pause.against(t, c, false)
	l.narrowTo1()
	if l.pause.sum >= pauseEvidence && !l.pause.on(t) {
		l.pause.from, l.pause.to, l.pause.sample = t, t.Add(d), nil
		l.doubted = true
	}
}

func (l *lane) narrowTo1() {
	l.width, l.narrow = 1, 0
	l.epoch++
}

// failed takes down a failure that speaks against the host. While the breaker is open only its probe does: the others began before.
func (l *lane) failed(t time.Time, c *client, probe bool) {
	b := &l.breaker
	if b.open {
		if probe {
			b.wait = min(2*b.wait, breakerMax)
			b.probeAt = t.Add(b.wait)
		}
		return
	}
	b.against(t, c, l.proven == 0)
	if b.sum >= breakerEvidence {
		b.open, b.wait, b.endedAt = true, breakerMin, t
		b.probeAt = t.Add(b.wait)
	}
}
