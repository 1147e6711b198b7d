// SPDX-License-Identifier: Apache-2.0

package egress

import "time"

// NewGate returns a gate that knows no host yet.
func NewGate(limits Limits) *Gate {
	return &Gate{
		limits:     limits.withDefaults(),
		wake:       func(string) {},
		hosts:      map[string]*host{},
		namespaces: map[string]*namespace{},
		waiters:    map[waiterKey]*waiter{},
	}
}

// Notify sets how the gate wakes an object whose turn it is, and how it has a function called after a delay, with the time of the call. Neither
// may block. Call it before the first Reserve. Without it, objects have to ask again until it is their turn.
func (g *Gate) Notify(wake func(object string), after func(d time.Duration, f func(now time.Time))) {
	g.wake, g.after = wake, after
}

// Reserve returns a Reservation if the object may call the host now, and a Delay otherwise. Exactly one of them is not nil.
func (g *Gate) Reserve(now time.Time, r Request) (*Reservation, *Delay) {
	g.mu.Lock()
	defer g.unlock()
	t := g.clock.at(now)
	g.sweep(t)

	w := g.waiter(t, now, r)
	if w.reservation == nil {
		g.serve(t, w.lane.host)
	}
	if w.reservation == nil {
		return nil, g.delay(t, now, w)
	}
	g.forget(w)
	w.reservation.started = t
	return w.reservation, nil
}

// Done ends the call and lets the gate learn from it. Only the first Done of a Reservation counts.
func (r *Reservation) Done(now time.Time, result Result) {
	g := r.gate
	g.mu.Lock()
	defer g.unlock()
	g.finish(g.clock.at(now), r, result)
}

// Forget withdraws all requests of an object, named as in Request.Object: it is gone, suspended or no longer due. A Reservation that it has
// claimed stays valid.
func (g *Gate) Forget(now time.Time, object string) {
	g.mu.Lock()
	defer g.unlock()
	t := g.clock.at(now)
	g.withdraw(t, waiterKey{object, false})
	g.withdraw(t, waiterKey{object, true})
}

// Withdraw withdraws an object's request for a token. It may still wait to have one verified.
func (g *Gate) Withdraw(now time.Time, object string) {
	g.mu.Lock()
	defer g.unlock()
	g.withdraw(g.clock.at(now), waiterKey{object, false})
}

func (g *Gate) withdraw(t time.Time, key waiterKey) {
	if w := g.waiters[key]; w != nil {
		g.drop(t, w)
		g.serve(t, w.lane.host)
	}
}

// waiter finds or adds the waiter of a request. It keeps its place if its client is the same as before.
func (g *Gate) waiter(t, now time.Time, r Request) *waiter {
	key := waiterKey{r.Object, r.Verify}
	l := g.host(t, r.Host).lane(r.Verify)
	c := l.client(t, r)
	old := g.waiters[key]
	same := old != nil && old.client == c
	if same && old.reservation != nil && !l.closedSince(t, old.reservation) {
		return old
	}
	w := &waiter{waiterKey: key, planned: r.Planned, expires: r.Expires, lane: l, client: c, namespace: g.namespace(r.Namespace), since: t}
	if same && old.reservation == nil {
		w.since, w.serial = old.since, old.serial
	} else {
		g.serial++
		w.serial = g.serial
	}
	if at, ok := r.leadHalfUsed(); ok {
		w.leadHalfUsed = t.Add(at.Sub(now))
	}
	w.bypassesPause = r.Changed || r.Requested && c.mayBypass(t)
	g.enqueue(t, w)
	if old != nil {
		g.drop(t, old)
	}
	g.waiters[key] = w
	return w
}
