// SPDX-License-Identifier: Apache-2.0

package egress

const (
	// A host that has not answered yet gets initialConcurrency calls at once, and twice as many after each answer, up to the limit: a hundred
	// objects that meet a 429 or a host that hangs learn it from two calls.
	initialConcurrency = 2

	// While failing clients wait, every fourth call is theirs; while unplanned calls wait, every tenth is. Failing clients never have more
	// than a quarter of the places, since a call that hangs keeps its place for long.
	failingEvery   = 4
	unplannedEvery = 10
	failingShare   = 4
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
	return !l.queue[classFailing].empty() || !l.queue[classFailingUnserved].empty()
}

// order returns the classes in the order in which they go now.
func (l *lane) order() []class {
	switch {
	case l.sinceFailing >= failingEvery-1:
		return []class{classFailing, classFailingUnserved, classPlanned, classUnplanned}
	case l.sinceUnplanned >= unplannedEvery-1:
		return []class{classUnplanned, classPlanned, classFailing, classFailingUnserved}
	}
	return []class{classPlanned, classUnplanned, classFailing, classFailingUnserved}
}

// countTurn records that w goes.
func (l *lane) countTurn(w *waiter) {
	switch {
	case w.class >= classFailing:
		l.sinceFailing = 0
	case l.failingWait():
		l.sinceFailing++
	}
	switch {
	case w.class == classUnplanned:
		l.sinceUnplanned = 0
	case !l.queue[classUnplanned].empty():
		l.sinceUnplanned++
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
