// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"slices"
	"time"
)

// claimWithin is how long a reservation is kept for an object that was woken. It comes within milliseconds unless the process is suspended.
const claimWithin = 10 * time.Second

// serve grants all reservations that it can: at this host, and at hosts where a waiter only lacks a worker.
func (g *Gate) serve(t time.Time, h *host) {
	g.unpark(t, h.tokens)
	g.unpark(t, h.verify)
	lanes := []*lane{h.tokens, h.verify}
	for _, l := range g.blocked {
		if l.host != h {
			lanes = append(lanes, l)
		}
	}
	changed := []*host{h}
	for !g.full() {
		best := g.best(t, lanes)
		if best == nil {
			break
		}
		g.grant(t, best)
		changed = append(changed, best.lane.host)
	}
	for _, l := range g.keepBlocked(lanes) {
		if l.host != h {
			changed = append(changed, l.host)
		}
	}
	for _, h := range changed {
		g.schedule(t, h)
	}
}

// best returns the waiter that goes next of several lanes, or nil if none can.
func (g *Gate) best(t time.Time, lanes []*lane) *waiter {
	var best *waiter
	for _, l := range lanes {
		if w := g.next(t, l); w != nil && (best == nil || w.goesBefore(best)) {
			best = w
		}
	}
	return best
}

// keepBlocked remembers which of the lanes lack a worker, and returns the others.
func (g *Gate) keepBlocked(lanes []*lane) (others []*lane) {
	full := g.full() // then the lanes were not asked who else could go
	g.blocked = g.blocked[:0]
	for _, l := range lanes {
		l.blocked = l.blocked || full && l.waiting > 0
		if l.blocked {
			g.blocked = append(g.blocked, l)
		} else {
			others = append(others, l)
		}
	}
	return others
}

// grant gives w a reservation and wakes it.
func (g *Gate) grant(t time.Time, w *waiter) {
	r := &Reservation{gate: g, lane: w.lane, client: w.client, namespace: w.namespace, class: w.class, granted: t, started: t}
	g.dequeue(w)
	w.lane.admit(t, w, r)
	g.inFlight++
	r.namespace.inFlight++
	w.reservation, w.lapsesAt = r, t.Add(claimWithin)
	if len(g.unclaimed) == 0 {
		g.call(claimWithin, g.lapse)
	}
	g.unclaimed, g.woken = append(g.unclaimed, w), append(g.woken, w)
}

// lapse takes back reservations that were not claimed in time. Their objects may ask again.
func (g *Gate) lapse(t time.Time) {
	for len(g.unclaimed) > 0 && !t.Before(g.unclaimed[0].lapsesAt) {
		g.drop(t, g.unclaimed[0])
	}
	if len(g.unclaimed) > 0 {
		g.call(g.unclaimed[0].lapsesAt.Sub(t), g.lapse)
	}
}

// drop removes a waiter, and releases its reservation.
func (g *Gate) drop(t time.Time, w *waiter) {
	g.forget(w)
	if w.reservation != nil {
		g.finish(t, w.reservation, Result{})
		return
	}
	g.dequeue(w)
}

// forget removes a waiter that has claimed its reservation, or gives up.
func (g *Gate) forget(w *waiter) {
	delete(g.waiters, w.waiterKey)
	if i := slices.Index(g.unclaimed, w); i >= 0 {
		g.unclaimed = slices.Delete(g.unclaimed, i, i+1)
	}
}

// finish ends a call. Only the first time counts.
func (g *Gate) finish(t time.Time, r *Reservation, result Result) {
	if r.done {
		return
	}
	r.done = true
	g.inFlight--
	r.namespace.inFlight--
	r.lane.release(r)
	g.learn(t, r, result)
	g.serve(t, r.lane.host)
}

// schedule serves the host again at the time at which a waiter may go without any event.
func (g *Gate) schedule(t time.Time, h *host) {
	at := earliestAfter(t, h.tokens.opensAt(t), h.verify.opensAt(t))
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

// call schedules f, which runs under the lock.
func (g *Gate) call(d time.Duration, f func(t time.Time)) {
	if g.after == nil {
		return
	}
	g.after(max(d, time.Millisecond), func(now time.Time) {
		g.mu.Lock()
		defer g.unlock()
		f(g.clock.at(now))
	})
}

// unlock also wakes the objects whose turn it is.
func (g *Gate) unlock() {
	var objects []string
	for _, w := range g.woken {
		if g.waiters[w.waiterKey] == w {
			objects = append(objects, w.object)
		}
	}
	g.woken = g.woken[:0]
	g.mu.Unlock()
	for _, object := range objects {
		g.wake(object)
	}
}
