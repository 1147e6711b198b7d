package egress

import (
	"cmp"
	"slices"
)

// ranking keeps waiters in one order, which must be total. The slice is sorted: a search is O(log n), and moving ten
// thousand pointers to make room takes a few microseconds, so a tree would gain nothing here.
type ranking struct {
	order func(a, b *waiter) int
	list  []*waiter
}

func (r *ranking) insert(w *waiter) {
	i, _ := slices.BinarySearchFunc(r.list, w, r.order)
	r.list = slices.Insert(r.list, i, w)
}

func (r *ranking) remove(w *waiter) {
	if i, ok := slices.BinarySearchFunc(r.list, w, r.order); ok {
		r.list = slices.Delete(r.list, i, i+1)
	}
}

// ahead counts those before w, whether or not w is in the ranking.
func (r *ranking) ahead(w *waiter) int {
	i, _ := slices.BinarySearchFunc(r.list, w, r.order)
	return i
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
