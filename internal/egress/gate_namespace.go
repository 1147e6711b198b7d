// SPDX-License-Identifier: Apache-2.0

package egress

import "time"

// A namespace is counted over all hosts, so that its objects cannot take all workers, wherever they call.
type namespace struct {
	name     string
	inFlight int
	// waiters are all, waiting those of them that do not wait for their own client's pause only.
	waiters, waiting int
}

func (g *Gate) namespace(name string) *namespace {
	n, ok := g.namespaces[name]
	if !ok {
		n = &namespace{name: name}
		g.namespaces[name] = n
	}
	return n
}

// full reports whether no call may begin. A few workers are kept for work that makes no call.
func (g *Gate) full() bool {
	return g.limits.Workers-g.inFlight <= g.limits.Workers/8
}

// workerFor says what keeps w from having a worker. Empty: nothing.
func (g *Gate) workerFor(t time.Time, w *waiter) string {
	workers, n := g.limits.Workers, w.namespace
	free := workers - g.inFlight
	alone := g.crowd == 1
	switch {
	case g.full():
		return ReasonWorkers
	case free <= workers/4 && n.inFlight >= 2:
		return ReasonWorkers
	case n.inFlight >= g.limits.NamespaceInFlight && !(alone && w.lane.host.fast(t)):
		return ReasonNamespaceInFlight
	}
	return ""
}

// place puts w where it waits.
func (g *Gate) place(t time.Time, w *waiter) {
	n, l, c := w.namespace, w.lane, w.client
	c.waiters[w] = true
	n.waiters++
	if t.Before(c.pausedTo) && !w.insists {
		w.class = classParked
		l.park(c)
		return
	}
	w.class = classOf(w)
	l.queue[w.class].insert(w)
	l.waiting++
	if n.waiting++; n.waiting == 1 {
		g.crowd++
	}
}

func (g *Gate) unplace(w *waiter) {
	n := w.namespace
	delete(w.client.waiters, w)
	n.waiters--
	if w.class == classParked {
		return
	}
	w.lane.queue[w.class].remove(w)
	w.lane.waiting--
	if n.waiting--; n.waiting == 0 {
		g.crowd--
	}
}
