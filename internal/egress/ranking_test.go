package egress

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// A ranking is as a sorted list, whatever is put in and taken out.
func TestRanking(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	r := ranking{order: byAge}
	var plain []*waiter
	for i := range 20_000 {
		if grow := i < 12_000; random.IntN(4) > 0 == grow || len(plain) == 0 {
			w := &waiter{object: time.Duration(random.Uint64() >> 1).String(), since: start.Add(time.Duration(random.IntN(1000)) * time.Millisecond)}
			at, _ := slices.BinarySearchFunc(plain, w, byAge)
			if got := r.ahead(w); got != at {
				t.Fatalf("%d are ahead of one that is not there, want %d", got, at)
			}
			plain = slices.Insert(plain, at, w)
			r.insert(w)
			continue
		}
		at := random.IntN(len(plain))
		w := plain[at]
		if got := r.ahead(w); got != at {
			t.Fatalf("%d are ahead, want %d", got, at)
		}
		plain = slices.Delete(plain, at, at+1)
		r.remove(w)
		r.remove(w) // the second time there is nothing to do
		if first := r.first(); len(plain) > 0 && first != plain[0] || len(plain) == 0 && first != nil {
			t.Fatal("the first one is another")
		}
	}
	if got := slices.Collect(r.all); !slices.Equal(got, plain) || len(plain) < 1000 || r.len() != len(plain) {
		t.Errorf("%d are left, want %d", len(got), len(plain))
	}
}
