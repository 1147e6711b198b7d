// SPDX-License-Identifier: Apache-2.0

package egress

import "time"

// learn updates the lane and the client from the result of a call.
func (g *Gate) learn(t time.Time, r *Reservation, result Result) {
	l, c := r.lane, r.client
	wasProbe := l.endTrial(t, r, result.Kind)
	if result.Kind == Cancelled {
		return
	}
	l.learnSpeed(t, r, result.Kind)
	blamesHost := wasProbe || l.blamesHost(c)
	switch result.Kind {
	case Served:
		l.served(t, r)
		if !r.started.Before(c.throttledAt) { // otherwise the call began before the client was told to wait
			c.pausedTo = time.Time{}
			g.setState(t, l, c, proven)
		}
	case Refused, Answered:
		g.learnRefusal(t, r, result.Kind)
	case Throttled:
		if wasProbe { // the host answers, but does not serve yet
			l.breaker.close(t)
			l.recovering = true
		}
		d := retryAfter(result)
		if blamesHost {
			l.throttled(t, c, d)
		}
		g.setState(t, l, c, failing)
		g.pauseClient(t, c, d)
	case Unavailable:
		if blamesHost {
			l.failed(t, c, wasProbe)
		}
		g.setState(t, l, c, failing)
	}
}

// learnRefusal handles an answer without a token: the host is alive, and the client is no longer proven.
func (g *Gate) learnRefusal(t time.Time, r *Reservation, kind ResultKind) {
	l := r.lane
	l.breaker.close(t)
	if l.epoch == 0 { // once the host has throttled, only a token raises the limit
		l.raiseConcurrency()
	}
	if kind == Refused && r.class != classPlanned {
		l.recordRefusal(t, r.namespace.name)
	}
	if r.client.state == proven {
		g.setState(t, l, r.client, unproven)
	}
}

// endTrial clears a probe or a sample that has ended, and reports whether it was a probe.
func (l *lane) endTrial(t time.Time, r *Reservation, kind ResultKind) (wasProbe bool) {
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

// learnSpeed records whether the call was answered quickly, or hung.
func (l *lane) learnSpeed(t time.Time, r *Reservation, kind ResultKind) {
	fast, answered := t.Sub(r.started) <= fastAnswer, kind != Unavailable
	if fast && answered {
		l.host.fastAt = t
	}
	if !fast && !answered {
		l.record(r.namespace.name).lastUntil = t.Add(lastAfterHang)
	}
}

func (l *lane) raiseConcurrency() { l.concurrencyLimit = min(2*l.concurrencyLimit, l.maxInFlight) }

// served ends a pause and reduces the evidence against the host. A token that was requested before the host began to throttle says nothing
// about the time since.
func (l *lane) served(t time.Time, r *Reservation) {
	l.breaker.close(t)
	if r.started.Before(l.pause.at) {
		return
	}
	if l.pause.on(t) {
		l.pause.end() // still one call at a time, until the next token
	} else {
		l.raiseConcurrency()
	}
	l.pause.token(t)
	if l.recovering && t.Before(l.pause.retryAt) {
		l.pause.refute(t)
	}
	l.recovering = false
}

// throttled records a 429 that speaks against the host. After the first one, calls go one at a time until a token comes; after the second,
// none does.
func (l *lane) throttled(t time.Time, c *client, d time.Duration) {
	p := &l.pause
	p.evidence.expire(t)
	p.against(t, c.key, false)
	p.provenFailed = p.provenFailed || c.state == proven
	l.concurrencyLimit, l.epochInFlight = 1, 0
	l.epoch++
	if end := t.Add(d); end.After(p.retryAt) {
		p.retryAt = end
	}
	if p.sum >= pauseEvidence && !p.on(t) {
		p.begin(t, d)
		l.recovering = true
	}
}

// failed records a failure that speaks against the host. While the breaker is open only its probe counts: other calls began before.
func (l *lane) failed(t time.Time, c *client, wasProbe bool) {
	b := &l.breaker
	b.provenFailed = b.provenFailed || c.state == proven
	if b.open {
		if wasProbe {
			b.backOff(t)
		}
		return
	}
	b.against(t, c.key, l.proven == 0)
	if b.sum >= breakerEvidence {
		b.trip(t)
	}
}
