// SPDX-License-Identifier: Apache-2.0

package simulation

import "time"

// An agenda is a queue of future events, ordered by time; events at the same time keep the order in which they were added. It is a hand-written
// binary heap, because a simulation spends most of its time here.
type agenda struct {
	heap   []entry
	serial uint64
}

type entry struct {
	at     time.Duration
	serial uint64
	do     func()
}

func (e entry) before(other entry) bool {
	return e.at < other.at || e.at == other.at && e.serial < other.serial
}

func (a *agenda) add(at time.Duration, do func()) {
	a.serial++
	a.heap = append(a.heap, entry{at, a.serial, do})
	for i := len(a.heap) - 1; i > 0; {
		parent := (i - 1) / 2
		if !a.heap[i].before(a.heap[parent]) {
			break
		}
		a.heap[i], a.heap[parent] = a.heap[parent], a.heap[i]
		i = parent
	}
}

// next returns the time of the first entry, false if there is none.
func (a *agenda) next() (time.Duration, bool) {
	if len(a.heap) == 0 {
		return 0, false
	}
	return a.heap[0].at, true
}

func (a *agenda) pop() entry {
	first, last := a.heap[0], len(a.heap)-1
	a.heap[0] = a.heap[last]
	a.heap[last] = entry{}
	a.heap = a.heap[:last]
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if a.heap[child].before(a.heap[least]) {
				least = child
			}
		}
		if least == i {
			return first
		}
		a.heap[i], a.heap[least] = a.heap[least], a.heap[i]
		i = least
	}
}
