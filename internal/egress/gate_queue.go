// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"slices"
	"time"
)

type waiterKey struct {
	object string
	verify bool
}

// A waiter is an object that wants to make a call, until it has made it or does not want to any more.
type waiter struct {
	waiterKey
	lane      *lane
	client    *client
	namespace *namespace
	planned   bool
	// insists says that it does not wait for its client's own pause to end.
	insists bool
	expires time.Time // zero: it holds no token
	// halfway is when half of the lead of its renewal is used. Zero: it has none.
	halfway time.Time
	since   time.Time
	serial  uint64
	class   class
	// reservation is what it was given. It has until lapsesAt to come for it.
	reservation *Reservation
	lapsesAt    time.Time
}

// A class is a rank: those of a lower one go first.
type class int

const (
	classPlanned class = iota
	classUnplanned
	classFailing                       // and one class more for each failure in a row
	classFailingNew = classFailing + 4 // the same of clients that have never been served
	classMost       = classFailing + 5
	classes         = classMost + 1
	// classParked is that of waiters whose client is paused. They are in no queue.
	classParked class = -1
)

func classOf(w *waiter) class {
	switch {
	case w.client.state == failing && w.client.once:
		return min(classFailing+class(max(w.client.failures, 1)-1), classFailingNew-1)
	case w.client.state == failing:
		return min(classFailingNew+class(max(w.client.failures, 1)-1), classMost)
	case w.client.state == proven && w.planned:
		return classPlanned
	}
	return classUnplanned
}

// A ring has the waiters of one class. Namespaces take turns.
type ring struct{ shares []*share }

// A share has one namespace's waiters, the least time left first.
type share struct {
	namespace *namespace
	waiters   []*waiter
}

func (r *ring) index(n *namespace) int {
	return slices.IndexFunc(r.shares, func(s *share) bool { return s.namespace == n })
}

func (r *ring) insert(w *waiter) {
	i := r.index(w.namespace)
	if i < 0 {
		i = len(r.shares)
		r.shares = append(r.shares, &share{namespace: w.namespace})
	}
	s := r.shares[i]
	at, _ := slices.BinarySearchFunc(s.waiters, w, leastLeftFirst)
	s.waiters = slices.Insert(s.waiters, at, w)
}

func (r *ring) remove(w *waiter) {
	i := r.index(w.namespace)
	s := r.shares[i]
	for at, _ := slices.BinarySearchFunc(s.waiters, w, leastLeftFirst); ; at++ {
		if s.waiters[at] == w { // one of the same object that takes its place may be beside it
			s.waiters = slices.Delete(s.waiters, at, at+1)
			break
		}
	}
	if len(s.waiters) == 0 {
		r.shares = slices.Delete(r.shares, i, i+1)
	}
}

// tookTurn lets the other namespaces go before the next one of this namespace.
func (r *ring) tookTurn(n *namespace) {
	if i := r.index(n); i >= 0 {
		s := r.shares[i]
		r.shares = append(slices.Delete(r.shares, i, i+1), s)
	}
}

// first is the first waiter that is wanted, the namespaces in turn. Of each namespace only the first one is asked about.
func (r *ring) first(wanted func(*waiter) bool) *waiter {
	for _, s := range r.shares {
		if w := s.waiters[0]; wanted(w) {
			return w
		}
	}
	return nil
}

// leastLeftFirst puts the earliest expiry first and those that hold no token, who lose nothing yet, last. Then it is who came first.
func leastLeftFirst(a, b *waiter) int {
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
	case a.serial < b.serial:
		return -1
	case a.serial > b.serial:
		return 1
	}
	return 0
}
