// SPDX-License-Identifier: Apache-2.0

package egress

import "slices"

const (
	// A host that has not answered yet gets initialConcurrency calls at once, and twice as many after each answer, up to the limit: a hundred
	// objects that meet a 429 or a host that hangs learn it from two calls.
	initialConcurrency = 2

	// While failing clients wait, every fourth call is theirs; while unplanned calls wait, every tenth is. Failing clients never have more
	// than a quarter of the places, since a call that hangs keeps its place for long.
	failingEvery   = 4
	unplannedEvery = 10
	failingShare   = 4
	// Of the failing clients those with the fewest failures go first, but every fourth time those with the most.
	mostFailuresEvery = 4
	// While verifications wait, every tenth call is one.
	verifyEvery = 10
)

func (h *host) inFlight() int { return h.tokens.inFlight + h.verify.inFlight }

// full reports whether the calls in flight take all places.
func (l *lane) full() bool {
	return l.epochInFlight >= l.concurrencyLimit || l.inFlight >= l.maxInFlight || l.host.inFlight() >= l.host.maxInFlight
}

// hasPlace reports whether a free place is for the class: failing clients have a share of their own.
func (l *lane) hasPlace(c class) bool {
	if c >= classFailing {
		return l.failingInFlight < max(1, l.maxInFlight/failingShare)
	}
	return !l.onlyFailingPlaces()
}

// onlyFailingPlaces reports whether the places left are reserved for failing clients that wait.
func (l *lane) onlyFailingPlaces() bool {
	reserved := l.maxInFlight/failingShare - l.failingInFlight
	atFullWidth := l.concurrencyLimit == l.maxInFlight
	return reserved > 0 && atFullWidth && l.failingWait() && l.maxInFlight-l.inFlight <= reserved
}

func (l *lane) failingWait() bool {
	return slices.ContainsFunc(l.queue[classFailing:], func(q fairQueue) bool { return !q.empty() })
}

// order returns the classes in the order in which they go now.
func (l *lane) order() []class {
	failing := []class{classFailing, classFailing + 1, classFailing + 2, classFailing + 3, classFailing + 4, lastClass}
	if l.turns.sinceMostFailures >= mostFailuresEvery-1 {
		slices.Reverse(failing)
	}
	switch {
	case l.turns.sinceFailing >= failingEvery-1:
		return append(failing, classPlanned, classUnplanned)
	case l.turns.sinceUnplanned >= unplannedEvery-1:
		return append([]class{classUnplanned, classPlanned}, failing...)
	}
	return append([]class{classPlanned, classUnplanned}, failing...)
}

// countTurn records that w goes.
func (l *lane) countTurn(w *waiter) {
	switch {
	case w.class >= classFailing:
		l.turns.sinceFailing = 0
		l.turns.sinceMostFailures = (l.turns.sinceMostFailures + 1) % mostFailuresEvery
	case l.failingWait():
		l.turns.sinceFailing++
	}
	switch {
	case w.class == classUnplanned:
		l.turns.sinceUnplanned = 0
	case !l.queue[classUnplanned].empty():
		l.turns.sinceUnplanned++
	}
	switch h := l.host; {
	case l == h.verify:
		h.verifyPassedOver = 0
	case h.verify.waiting > 0:
		h.verifyPassedOver++
	}
}

// goesBefore decides between waiters of different lanes: planned renewals first, verifications last, then the namespace with the fewest
// calls in flight.
func (w *waiter) goesBefore(other *waiter) bool {
	switch a, b := w.precedence(), other.precedence(); {
	case a != b:
		return a < b
	case w.namespace.inFlight != other.namespace.inFlight:
		return w.namespace.inFlight < other.namespace.inFlight
	}
	return w.serial < other.serial
}

func (w *waiter) precedence() class {
	switch {
	case w.verify && w.lane.host.verifyPassedOver >= verifyEvery-1:
		return -1
	case w.verify:
		return classes
	}
	return min(w.class, classFailing)
}
