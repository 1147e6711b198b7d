package egress

import (
	"slices"
	"time"
)

const (
	// expectedWithin is how far ahead a waiter's return holds room for it. Nearer ones hold back those who are behind them;
	// for the others there will be room again by then.
	expectedWithin = time.Second
	// overdueAfter is when a waiter that was told to come back and did not is forgotten. It may have been deleted or
	// suspended; if it comes later, it has its old place again, as that depends on its ask alone.
	overdueAfter = 3 * time.Second
	// oldestEvery is how many admissions go by until the one that has waited for longest has its turn.
	oldestEvery = 4
)

// waiter is an object that was refused and told to come back.
type waiter struct {
	object   string
	expires  time.Time // zero: it holds no token
	since    time.Time
	due      time.Time // when it comes back
	expected bool      // it is among the queue's expected ones
	// unplanned is Ask.Unplanned.
	unplanned bool
}

// queue remembers those who wait for one kind of room: of an endpoint or of a namespace. It serves nobody by itself: it
// tells whoever asks whether others go first, and how far back his place is. Each operation costs a few searches.
type queue struct {
	byObject map[string]*waiter
	urgent   ranking // all
	oldest   ranking // all
	away     ranking // those who come back later
	expected expected
	// sinceOldest counts admissions since the last turn of the one that waits for longest.
	sinceOldest int
	// waiting is the gate's: it finds all queues of an object.
	waiting whereabouts
}

// whereabouts tells in which queues an object waits: one, or two if it calls two endpoints.
type whereabouts map[string][]*queue

// expected are those who come back within a second, or should have. Only they hold others back.
type expected struct{ urgent, oldest, returns ranking }

func newQueue(waiting whereabouts) *queue {
	return &queue{
		waiting:  waiting,
		byObject: map[string]*waiter{},
		urgent:   ranking{order: byUrgency},
		oldest:   ranking{order: byAge},
		away:     ranking{order: byReturn},
		expected: expected{urgent: ranking{order: byUrgency}, oldest: ranking{order: byAge}, returns: ranking{order: byReturn}},
	}
}

func (q *queue) len() int { return len(q.byObject) }

// advance expects who is near and forgets who is overdue.
func (q *queue) advance(now time.Time) {
	for w := q.away.first(); w != nil && w.due.Sub(now) <= expectedWithin; w = q.away.first() {
		q.away.remove(w)
		w.expected = true
		q.expected.urgent.insert(w)
		q.expected.oldest.insert(w)
		q.expected.returns.insert(w)
	}
	for w := q.expected.returns.first(); w != nil && now.Sub(w.due) > overdueAfter; w = q.expected.returns.first() {
		q.remove(w.object)
	}
}

// put remembers w, in place of what was known of its object.
func (q *queue) put(w *waiter) {
	q.remove(w.object)
	w.expected = false
	q.byObject[w.object] = w
	q.waiting[w.object] = append(q.waiting[w.object], q)
	q.urgent.insert(w)
	q.oldest.insert(w)
	q.away.insert(w)
}

// remove forgets the object, if it waits here.
func (q *queue) remove(object string) {
	w, ok := q.byObject[object]
	if !ok {
		return
	}
	delete(q.byObject, object)
	if others := slices.DeleteFunc(q.waiting[object], func(other *queue) bool { return other == q }); len(others) > 0 {
		q.waiting[object] = others
	} else {
		delete(q.waiting, object)
	}
	q.urgent.remove(w)
	q.oldest.remove(w)
	if !w.expected {
		q.away.remove(w)
		return
	}
	q.expected.urgent.remove(w)
	q.expected.oldest.remove(w)
	q.expected.returns.remove(w)
}

// admits reports whether w, which is not in the queue, may have one of room places: it may unless they are all for others
// who go first. Of each four admissions three go by urgency and one goes to the oldest, so neither is starved by the other.
func (q *queue) admits(w *waiter, room int) bool {
	if room <= 0 {
		return false
	}
	forOldest := (room + min(q.sinceOldest, oldestEvery-1)) / oldestEvery
	if q.expected.oldest.ahead(w) < forOldest {
		return true
	}
	ahead, forUrgent := q.expected.urgent.ahead(w), room-forOldest
	if ahead < forUrgent {
		return true
	}
	// The oldest may be urgent ones as well: they take no second place.
	for old := range q.expected.oldest.all {
		if forOldest--; forOldest < 0 {
			break
		}
		if byUrgency(old, w) < 0 {
			ahead--
		}
	}
	return ahead < forUrgent
}

// admitted counts an admission.
func (q *queue) admitted(w *waiter) {
	if q.sinceOldest >= oldestEvery-1 && q.expected.oldest.ahead(w) == 0 {
		q.sinceOldest = 0
		return
	}
	q.sinceOldest++
}

// place is how many admissions go by before it is w's turn, by urgency or by age. It errs on the short side, as it leaves
// out those of the other turn: who comes too early asks once more, but who came too late would leave room unused.
func (q *queue) place(w *waiter) int {
	turn := oldestEvery*(q.oldest.ahead(w)+1) - 1 - min(q.sinceOldest, oldestEvery-1)
	return min(q.urgent.ahead(w), turn)
}
