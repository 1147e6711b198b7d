// SPDX-License-Identifier: Apache-2.0

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

// A pause keeps a host from being called while it throttles everyone.
type pause struct {
	evidence
	from, to time.Time
	// said is the latest time that clients were told to wait for.
	said time.Time
	// sample is the call that was let through. Nil: none was. sampledAt is when the latest was, in this pause or one before.
	sample    *Reservation
	sampledAt time.Time
	// witnessed says that a client spoke against the host that was well until then.
	witnessed bool
}

func (p *pause) on(t time.Time) bool { return t.Before(p.to) }

// sampleTime is when one call may be let through: one in a minute. As long as nobody was told to wait that had been well, a proven client need not wait
// for those that had not.
func (p *pause) sampleTime() time.Time {
	at := p.from
	if p.witnessed {
		at = at.Add(sampleAfter)
	}
	if next := p.sampledAt.Add(pauseMost); !p.sampledAt.IsZero() && next.After(at) {
		return next
	}
	return at
}

// end ends a pause whose time is over. What was known before it does not count after it.
func (p *pause) end(t time.Time) {
	if !p.to.IsZero() && !p.on(t) {
		*p = pause{said: p.said, sampledAt: p.sampledAt}
	}
}

// A breaker limits a host that serves nobody to one call at a time.
type breaker struct {
	evidence
	open    bool
	wait    time.Duration // from one probe to the next
	probeAt time.Time
	endedAt time.Time // of the last probe, or when the breaker opened
	probe   *Reservation
	// witnessed says that a client spoke against the host that was well until then.
	witnessed bool
}

// learn updates the lane and the client from the result of a finished call.
func (l *lane) learn(g *Gate, t time.Time, r *Reservation, result Result) {
	probe := l.ended(t, r, result.Kind)
	if result.Kind == Cancelled {
		return
	}
	l.timed(t, r, result.Kind)
	c := r.client
	against := probe || l.trusts(c)
	switch result.Kind {
	case Served:
		l.served(t, r)
		if !r.started.Before(c.throttledAt) { // otherwise the call began before the client was told to wait
			c.pausedTo = time.Time{}
			g.become(t, l, c, proven, 0)
		}
	case Refused, Answered:
		l.learnRefused(g, t, r, result.Kind)
	case Throttled:
		if probe { // it answers, but does not serve yet
			l.closeBreaker(t)
			l.doubted = true
		}
		d := pauseFor(result)
		if against {
			l.throttled(t, c, d)
		}
		g.become(t, l, c, failing, c.failures+1)
		g.pauseClient(t, c, d)
	case Unavailable:
		if against {
			l.failed(t, c, probe)
		}
		g.become(t, l, c, failing, c.failures+1)
	}
}

// learnRefused takes an answer without a token: the host is alive, and the client is no longer proven.
func (l *lane) learnRefused(g *Gate, t time.Time, r *Reservation, kind ResultKind) {
	l.alive(t)
	if kind == Refused && r.class != classPlanned {
		l.refusedOnce(t, r.namespace.name)
	}
	if r.client.state == proven {
		g.become(t, l, r.client, unproven, 0)
	}
}

// ended clears a probe or a sample that is over, and reports whether it was a probe.
func (l *lane) ended(t time.Time, r *Reservation, kind ResultKind) (probe bool) {
	switch r {
	case l.breaker.probe:
		l.breaker.probe, l.breaker.endedAt = nil, t
		return true
	case l.pause.sample:
		if kind == Cancelled {
			l.pause.sample = nil // it has shown nothing
		} else {
			l.pause.sampledAt = t
		}
	}
	return false
}

// timed records whether the call was answered quickly, or hung.
func (l *lane) timed(t time.Time, r *Reservation, kind ResultKind) {
	fast, answered := t.Sub(r.started) <= fastEnough, kind != Unavailable
	if fast && answered {
		l.host.fastAt = t
	}
	if !fast && !answered {
		l.standing(r.namespace.name).behindTo = t.Add(behindFor)
	}
}

func (l *lane) refusedOnce(t time.Time, namespace string) {
	n := l.standing(namespace)
	n.refusedAt = append(n.refusedAt, t)
	l.refused[n] = true
}

// trusts reports whether a client's trouble speaks against the host, and not against the client alone. A client that was well until then does, and so
// does one that was, if nobody has been served since: it may have been the first of all. Where nobody is well, everyone does.
func (l *lane) trusts(c *client) bool {
	return l.wasWell(c) || l.proven == 0 || l.doubted
}

func (l *lane) wasWell(c *client) bool {
	fell := c.state == failing && !c.fellAt.IsZero() && c.fellAt.After(l.servedAt)
	return c.state == proven || fell
}

func pauseFor(r Result) time.Duration {
	if !r.HasRetryAfter {
		return throttledDefault
	}
	return min(max(r.RetryAfter, throttledMin), clientPauseMost)
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
	l.servedAt = t
	if l.pause.on(t) {
		l.pause = pause{evidence: l.pause.evidence, said: l.pause.said} // one call at a time until the next token
	} else {
		l.width = min(2*l.width, l.limit)
	}
	l.pause.token(t)
	if l.doubted && t.Before(l.pause.said) {
		l.pause.refute(t)
	}
	l.doubted = false
}

// throttled records a 429 that speaks against the host: one call at a time until a token comes, and none after the second.
func (l *lane) throttled(t time.Time, c *client, d time.Duration) {
	l.pause.expire(t)
	l.pause.against(t, c, false)
	l.pause.witnessed = l.pause.witnessed || l.wasWell(c)
	l.narrowTo1()
	if end := t.Add(d); end.After(l.pause.said) {
		l.pause.said = end
	}
	if l.pause.sum >= pauseEvidence && !l.pause.on(t) {
		l.pause.from, l.pause.to, l.pause.sample = t, t.Add(min(d, pauseMost)), nil
		l.doubted = true
	}
}

func (l *lane) narrowTo1() {
	l.width, l.narrow = 1, 0
	l.epoch++
}

// failed records a failure that speaks against the host. While the breaker is open only its probe does: the others began before.
func (l *lane) failed(t time.Time, c *client, probe bool) {
	b := &l.breaker
	b.witnessed = b.witnessed || l.wasWell(c)
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
