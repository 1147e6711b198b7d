// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"cmp"
	"slices"
)

func classOf(w *waiter) class {
	switch {
	case w.client.state == failing && w.client.servedBefore:
		return classFailing
	case w.client.state == failing:
		return classFailingUnserved
	case w.client.state == proven && w.planned:
		return classPlanned
	}
	return classUnplanned
}

func (q *fairQueue) empty() bool { return len(q.namespaces) == 0 }

func (q *fairQueue) index(n *namespace) int {
	return slices.IndexFunc(q.namespaces, func(s *namespaceQueue) bool { return s.namespace == n })
}

func (q *fairQueue) insert(w *waiter) {
	i := q.index(w.namespace)
	if i < 0 {
		i = len(q.namespaces)
		q.namespaces = append(q.namespaces, &namespaceQueue{namespace: w.namespace})
	}
	s := q.namespaces[i]
	at, _ := slices.BinarySearchFunc(s.waiters, w, leastTimeLeft)
	s.waiters = slices.Insert(s.waiters, at, w)
}

func (q *fairQueue) remove(w *waiter) {
	i := q.index(w.namespace)
	s := q.namespaces[i]
	for at, _ := slices.BinarySearchFunc(s.waiters, w, leastTimeLeft); ; at++ {
		if s.waiters[at] == w { // its successor for the same object may be next to it
			s.waiters = slices.Delete(s.waiters, at, at+1)
			break
		}
	}
	if len(s.waiters) == 0 {
		q.namespaces = slices.Delete(q.namespaces, i, i+1)
	}
}

// moveLast lets the other namespaces go before the next waiter of this one.
func (q *fairQueue) moveLast(n *namespace) {
	if i := q.index(n); i >= 0 {
		s := q.namespaces[i]
		q.namespaces = append(slices.Delete(q.namespaces, i, i+1), s)
	}
}

// first returns the first namespace's first waiter that is accepted. Only the first waiter of each namespace is considered.
func (q *fairQueue) first(accepted func(*waiter) bool) *waiter {
	for _, s := range q.namespaces {
		if w := s.waiters[0]; accepted(w) {
			return w
		}
	}
	return nil
}

// leastTimeLeft orders by expiry, objects without a token last, since they have nothing to lose yet; then by arrival.
func leastTimeLeft(a, b *waiter) int {
	switch {
	case a.expires.IsZero() != b.expires.IsZero():
		if a.expires.IsZero() {
			return 1
		}
		return -1
	case !a.expires.Equal(b.expires):
		return a.expires.Compare(b.expires)
	case !a.since.Equal(b.since):
		return a.since.Compare(b.since)
	}
	return cmp.Compare(a.serial, b.serial)
}
