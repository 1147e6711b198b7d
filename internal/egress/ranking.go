package egress

import (
	"cmp"
	"slices"
)

// ranking keeps waiters in one order, which must be total. The list is cut into blocks, so that neither a search nor making room takes long
// with a hundred thousand waiters.
type ranking struct {
	order  func(a, b *waiter) int
	blocks [][]*waiter // none is empty
}

// mostInBlock is where a block is cut in two.
const mostInBlock = 512

// find gives the place of w, or that where it belongs: a block and an index in it. The block may be one beyond the last.
func (r *ranking) find(w *waiter) (block, index int, there bool) {
	block, _ = slices.BinarySearchFunc(r.blocks, w, func(b []*waiter, w *waiter) int { return r.order(b[len(b)-1], w) })
	if block == len(r.blocks) {
		return block, 0, false
	}
	index, there = slices.BinarySearchFunc(r.blocks[block], w, r.order)
	return block, index, there
}

func (r *ranking) insert(w *waiter) {
	block, index, _ := r.find(w)
	if block == len(r.blocks) {
		if block == 0 {
			r.blocks = [][]*waiter{{w}}
			return
		}
		block--
		index = len(r.blocks[block])
	}
	b := slices.Insert(r.blocks[block], index, w)
	if len(b) <= mostInBlock {
		r.blocks[block] = b
		return
	}
	r.blocks[block] = b[: mostInBlock/2 : mostInBlock/2]
	r.blocks = slices.Insert(r.blocks, block+1, slices.Clone(b[mostInBlock/2:]))
}

func (r *ranking) remove(w *waiter) {
	block, index, there := r.find(w)
	if !there {
		return
	}
	if r.blocks[block] = slices.Delete(r.blocks[block], index, index+1); len(r.blocks[block]) == 0 {
		r.blocks = slices.Delete(r.blocks, block, block+1)
	}
}

// ahead counts those before w, whether or not w is in the ranking.
func (r *ranking) ahead(w *waiter) int {
	block, index, _ := r.find(w)
	for _, b := range r.blocks[:block] {
		index += len(b)
	}
	return index
}

func (r *ranking) len() int {
	n := 0
	for _, b := range r.blocks {
		n += len(b)
	}
	return n
}

// first is the first one; nil if there is none.
func (r *ranking) first() *waiter {
	if len(r.blocks) == 0 {
		return nil
	}
	return r.blocks[0][0]
}

// all goes through all from the first to the last.
func (r *ranking) all(yield func(*waiter) bool) {
	for _, b := range r.blocks {
		for _, w := range b {
			if !yield(w) {
				return
			}
		}
	}
}

// byUrgency puts the earliest expiry first and those that hold no token, who lose nothing yet, last.
func byUrgency(a, b *waiter) int {
	switch {
	case a.expires.IsZero() != b.expires.IsZero():
		if a.expires.IsZero() {
			return 1
		}
		return -1
	case !a.expires.Equal(b.expires):
		return a.expires.Compare(b.expires)
	}
	return byAge(a, b)
}

// byAge puts the one that has been due for longest first.
func byAge(a, b *waiter) int {
	if c := a.since.Compare(b.since); c != 0 {
		return c
	}
	return cmp.Compare(a.object, b.object)
}

// byReturn puts the one that comes back first first.
func byReturn(a, b *waiter) int {
	if c := a.due.Compare(b.due); c != 0 {
		return c
	}
	return cmp.Compare(a.object, b.object)
}
