// SPDX-License-Identifier: Apache-2.0

package egress

import "time"

// admit counts a call that is about to be made.
func (l *lane) admit(t time.Time, w *waiter, r *Reservation) {
	l.host.useRate(t, w.class == classPlanned)
	if w.class != classPlanned {
		l.record(w.namespace.name).unplanned++
	}
	l.inFlight++
	l.epochInFlight++
	r.epoch = l.epoch
	w.client.inFlight++
	if w.class >= classFailing {
		l.failingInFlight++
	}
	if w.bypassesPause {
		w.client.bypassedAt = t
	}
	l.queue[w.class].moveLast(w.namespace)
	l.countTurn(w)
	switch {
	case l.breaker.open:
		l.breaker.probe = r
	case l.pause.on(t):
		l.pause.sample = r
	}
}

// release undoes admit when the call has ended.
func (l *lane) release(r *Reservation) {
	l.inFlight--
	if r.epoch == l.epoch {
		l.epochInFlight--
	}
	r.client.inFlight--
	if r.class >= classFailing {
		l.failingInFlight--
	}
	if r.class != classPlanned {
		l.record(r.namespace.name).unplanned--
	}
}

// closedSince reports whether the lane or the client was told to wait after r was granted, which nobody has claimed yet.
func (l *lane) closedSince(t time.Time, r *Reservation) bool {
	switch {
	case r.client.throttledAt.After(r.granted):
		return true
	case l.breaker.open:
		return l.breaker.probe != r
	case l.pause.on(t):
		return l.pause.sample != r
	}
	return false
}
