// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"cmp"
	"slices"
	"time"
)

// enqueue puts w where it waits: in the queue of its class, or parked while its client is paused.
func (g *Gate) enqueue(t time.Time, w *waiter) {
	n, l, c := w.namespace, w.lane, w.client
	c.waiters[w] = true
	n.waiters++
	if t.Before(c.pausedTo) && !w.bypassesPause {
		w.class = classParked
		l.park(c)
		return
	}
	w.class = classOf(w)
	l.queue[w.class].insert(w)
	l.waiting++
	if n.queued++; n.queued == 1 {
		g.waitingNamespaces++
	}
}

func (g *Gate) dequeue(w *waiter) {
	n := w.namespace
	delete(w.client.waiters, w)
	n.waiters--
	if w.class == classParked {
		return
	}
	w.lane.queue[w.class].remove(w)
	w.lane.waiting--
	if n.queued--; n.queued == 0 {
		g.waitingNamespaces--
	}
}

// requeue puts a client's waiters where they belong now.
func (g *Gate) requeue(t time.Time, c *client) {
	var waiters []*waiter
	for w := range c.waiters {
		waiters = append(waiters, w)
	}
	slices.SortFunc(waiters, func(a, b *waiter) int { return cmp.Compare(a.serial, b.serial) })
	for _, w := range waiters {
		g.dequeue(w)
		g.enqueue(t, w)
	}
}

func (l *lane) park(c *client) {
	if !slices.Contains(l.parked, c) {
		l.parked = append(l.parked, c)
	}
}

// unpark queues the waiters of clients whose pause has ended.
func (g *Gate) unpark(t time.Time, l *lane) {
	l.parked = slices.DeleteFunc(l.parked, func(c *client) bool {
		if t.Before(c.pausedTo) && len(c.waiters) > 0 {
			return false
		}
		g.requeue(t, c)
		return true
	})
}
