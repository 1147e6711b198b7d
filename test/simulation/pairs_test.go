// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"flag"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	pairs = flag.Uint64("simulation.pairs", 0, "how many pairs of worlds to simulate, however long it takes. 0: 300, or as many as fit in 15 s")
	pair  = flag.Uint64("simulation.pair", 0, "simulate this one pair and print what happens in both worlds")
)

const (
	usualPairs    = 300
	usualPairTime = 15 * time.Second
)

// TestPairs simulates pairs of worlds that differ only in the values of Secrets. People and processes do the same in both, and vendors accept every
// client. Somebody who may write CDPCredentials but not read Secrets must see the same in both, at the same time; a difference would reveal something
// about the values.
func TestPairs(t *testing.T) {
	if *pair != 0 {
		if diff := livePair(*pair, newWiring(t), func(line string) { fmt.Println(line) }); diff != "" {
			t.Errorf("pair %d: %s", *pair, diff)
		}
		return
	}
	count, enough, began := *pairs, usualPairTime, time.Now()
	if count == 0 {
		count = usualPairs
	}
	if testing.Short() {
		enough /= 5
	}
	var next, failed, lived, seen atomic.Uint64
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wires := newWiring(t)
		all.Go(func() {
			for failed.Load() < 3 && (*pairs != 0 || time.Since(began) < enough) {
				n := next.Add(1) - 1
				if n >= count {
					return
				}
				one, other := pairOf(*first+n, wires, nil)
				lived.Add(1)
				seen.Add(uint64(len(one.sights)))
				if diff := difference(one, other); diff != "" {
					failed.Add(1)
					t.Errorf("pair %d: %s\nrun it again with: go test ./test/simulation -run TestPairs -simulation.pair=%d", *first+n, diff, *first+n)
				}
			}
		})
	}
	all.Wait()
	t.Logf("%d pairs from %d on in %s, %d observations compared", lived.Load(), *first, time.Since(began).Round(time.Millisecond), seen.Load())
}

func livePair(seed uint64, wires *wiring, story func(string)) string {
	one, other := pairOf(seed, wires, story)
	return difference(one, other)
}

// pairOf runs both worlds of a pair, one after the other, and returns what was observed in each.
func pairOf(seed uint64, wires *wiring, story func(string)) (one, other *observer) {
	seen := [2]*observer{}
	for i := range seen {
		if story != nil {
			story(fmt.Sprintf("--- world %d", i+1))
		}
		w := newPairWorld(seed, uint64(i+1), wires)
		w.story = story
		if broken := w.watched(w.live); broken != nil {
			w.watching.see("", "the end: "+broken.Error())
		}
		seen[i] = w.watching
	}
	return seen[0], seen[1]
}
