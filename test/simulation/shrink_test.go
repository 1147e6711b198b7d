// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shrink removes from a list what is not needed to make it fail: halves first, then ever smaller pieces, until no single item can be removed.
func shrink[T any](list []T, fails func([]T) bool) []T {
	for size := len(list); size > 0; {
		smaller := false
		for from := 0; from < len(list); {
			without := slices.Concat(list[:from], list[min(from+size, len(list)):])
			if fails(without) {
				list, smaller = without, true
			} else {
				from += size
			}
		}
		if !smaller || size > 1 {
			size /= 2
		}
	}
	return list
}

// shrunk returns the part of a plan that still breaks the promise, found within the given number of runs.
func (p *plan) shrunk(runs int, broken *violation, run func(plan) *violation) (keep, *violation) {
	k := p.all()
	fails := func(smaller keep) bool {
		if runs <= 0 || len(smaller.objects) == 0 {
			return false
		}
		runs--
		again := run(p.kept(smaller))
		if again == nil || again.invariant != broken.invariant {
			return false
		}
		k, broken = smaller, again
		return true
	}
	for before := ""; before != k.String(); {
		before = k.String()
		shrink(k.events, func(events []int) bool { return fails(keep{k.objects, k.flips, events}) })
		shrink(k.flips, func(flips []int) bool { return fails(keep{k.objects, flips, k.events}) })
		shrink(k.objects, func(objects []int) bool { return fails(keep{objects, k.flips, k.events}) })
	}
	return k, broken
}

func TestShrinkFindsTheSmallestList(t *testing.T) {
	t.Parallel()
	numbers := make([]int, 100)
	for i := range numbers {
		numbers[i] = i
	}
	runs := 0
	got := shrink(numbers, func(list []int) bool {
		runs++
		return slices.Contains(list, 7) && slices.Contains(list, 70) && slices.Contains(list, 71)
	})
	if diff := cmp.Diff([]int{7, 70, 71}, got); diff != "" || runs > 100 {
		t.Errorf("after %d runs (-want +got):\n%s", runs, diff)
	}
}

// TestShrinkFindsTheSmallestWorld shrinks a world that fails with one object, one flip and two events.
func TestShrinkFindsTheSmallestWorld(t *testing.T) {
	t.Parallel()
	p := newPlan(5, drawable(nil, true))
	for seed := uint64(6); len(p.objects) < 3 || len(p.flips) < 5 || len(p.events) < 30; seed++ {
		p = newPlan(seed, drawable(nil, true))
	}
	has := func(k keep) bool {
		return slices.Contains(k.objects, 1) && slices.Contains(k.flips, 3) && slices.Contains(k.events, 9) && slices.Contains(k.events, 20)
	}
	for i := range p.events {
		p.events[i].assumption, p.events[i].action, p.events[i].object = nil, &actions[0], 1 // these four survive whatever else is removed
	}
	k, broken := p.shrunk(1000, &violation{invariant: "x"}, func(smaller plan) *violation {
		if has(smaller.all()) {
			return &violation{invariant: "x", detail: "smaller"}
		}
		return &violation{invariant: "another"}
	})
	if diff := cmp.Diff("1/3/9,20", k.String()); diff != "" || broken.detail != "smaller" {
		t.Errorf("%v (-want +got):\n%s", broken, diff)
	}
	if read, err := parseKeep(k.String()); err != nil || read.String() != k.String() {
		t.Errorf("parsed as %v: %v", read, err)
	}
}
