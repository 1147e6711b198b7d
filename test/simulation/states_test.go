// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	recordTo    = flag.String("simulation.record", "", "record states and what becomes of them in this file")
	compareWith = flag.String("simulation.compare", "", "compare what becomes of the states of this file with what is recorded there")
	stateCount  = flag.Int("simulation.states", 20000, "how many states to record")
	onlyState   = flag.Int("simulation.state", 0, "of the file's states this one only, with its story")
)

// perSeed is how many states are recorded of a world at the most, and a state's kind may be that share of all.
const (
	perSeed   = 8
	kindShare = 0.02
)

// A recordedState is a line of the file. They are counted from 1.
type recordedState struct {
	Number int      `json:"number"`
	State  *state   `json:"state"`
	Rounds []*round `json:"rounds"`
}

// TestStates holds what becomes of states against what became of them when they were recorded.
func TestStates(t *testing.T) {
	switch {
	case *recordTo != "":
		recordStates(t)
	case *compareWith != "":
		compareStates(t)
	default:
		aFewStates(t)
	}
}

// recordStates writes the file.
func recordStates(t *testing.T) {
	file, err := os.Create(*recordTo)
	if err != nil {
		t.Fatal(err)
	}
	packed := gzip.NewWriter(file)
	lines := json.NewEncoder(packed)
	kinds := gatherStates(t, *stateCount, func(s *recordedState) {
		if err := lines.Encode(s); err != nil {
			t.Fatal(err)
		}
	})
	if err := errors.Join(packed.Close(), file.Close()); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d states of %d kinds", *stateCount, kinds)
}

// gatherStates gives as many states of worlds as are wanted, with what becomes of them, and says of how many kinds they are.
func gatherStates(t *testing.T, wanted int, take func(*recordedState)) (kinds int) {
	seen, ofKind, number, seed := map[string]bool{}, map[string]int{}, 0, *first
	worlds := newWorkers[map[string]*state](t)
	replays := newWorkers[*recordedState](t)
	for number < wanted {
		var chosen []*recordedState
		for _, states := range worlds.do(8*len(worlds.wires), func(i int, wires *wiring) map[string]*state { return statesOf(seed+uint64(i), wires) }) {
			left := perSeed
			for _, signature := range slices.Sorted(maps.Keys(states)) { // an order that has nothing to do with time
				s := states[signature]
				if kind := s.kind(); left > 0 && number < wanted && !seen[signature] && ofKind[kind] < max(int(kindShare*float64(wanted)), 1) {
					left--
					number++
					seen[signature] = true
					ofKind[kind]++
					s.vary(number)
					chosen = append(chosen, &recordedState{Number: number, State: s})
				}
			}
		}
		seed += uint64(8 * len(worlds.wires))
		for _, s := range replays.do(len(chosen), func(i int, wires *wiring) *recordedState {
			s := chosen[i].stored() // as it will be read
			s.Rounds = replayState(s.State, wires, nil)
			return s
		}) {
			take(s)
		}
	}
	t.Logf("from seeds %d to %d", *first, seed-1)
	return len(ofKind)
}

// vary gives every second state an endpoint that answers badly, or an API server that refuses.
func (s *state) vary(number int) {
	switch number % 8 {
	case 1:
		s.Trouble = unauthorized
	case 3:
		s.Trouble = throttlingRetryAfter
	case 5:
		s.Trouble = serverError
	case 7:
		s.Refuses = true
	}
}

// stored is what is read again of what is written.
func (s *recordedState) stored() *recordedState {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	read := &recordedState{}
	if err := json.Unmarshal(text, read); err != nil {
		panic(err)
	}
	return read
}

// workers do many things at a time, each with a wiring of its own.
type workers[Out any] struct{ wires []*wiring }

func newWorkers[Out any](t *testing.T) *workers[Out] {
	w := &workers[Out]{}
	for range runtime.GOMAXPROCS(0) {
		w.wires = append(w.wires, newWiring(t))
	}
	return w
}

// do gives what comes of n things, in their order.
func (w *workers[Out]) do(n int, one func(int, *wiring) Out) []Out {
	out := make([]Out, n)
	var next atomic.Int64
	var all sync.WaitGroup
	for _, wires := range w.wires {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				out[i] = one(i, wires)
			}
		})
	}
	all.Wait()
	return out
}

// compareStates reads the file and tells of what has become different.
func compareStates(t *testing.T) {
	file, err := os.Open(*compareWith)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }() // it was only read
	packed, err := gzip.NewReader(bufio.NewReaderSize(file, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	lines, found := json.NewDecoder(packed), newStateDifferences()
	workers := newWorkers[[]string](t)
	for more := true; more; {
		var states []*recordedState
		for len(states) < 256 && more {
			s := &recordedState{}
			if err := lines.Decode(s); errors.Is(err, io.EOF) {
				more = false
			} else if err != nil {
				t.Fatal(err)
			} else if *onlyState == 0 || s.Number == *onlyState {
				states = append(states, s)
			}
		}
		if *onlyState != 0 && len(states) > 0 {
			tellState(t, states[0], workers.wires[0])
		}
		for i, lines := range workers.do(len(states), func(i int, wires *wiring) []string {
			return treeDifferences(states[i].Rounds, replayState(states[i].State, wires, nil))
		}) {
			found.add(states[i], lines)
		}
	}
	t.Log(found.report())
	if found.states > 0 {
		t.Errorf("of %d of %d states becomes something else than was recorded", found.states, found.all)
	}
}

// tellState shows a state and what happens.
func tellState(t *testing.T, s *recordedState, wires *wiring) {
	text, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("recorded: %s\nwhat happens now:\n", text)
	replayState(s.State, wires, func(line string) { fmt.Println(line) })
}

// aFewStates shows that the same becomes of a state twice, and that it is seen if something else does.
func aFewStates(t *testing.T) {
	var states []*recordedState
	gatherStates(t, 100, func(s *recordedState) { states = append(states, s) })
	wires := newWiring(t)
	exchanged, renewed := 0, 0
	for _, s := range states {
		for i, r := range s.Rounds {
			if slices.ContainsFunc(r.Did, func(did map[string]any) bool { return did["do"] == "exchange" }) {
				exchanged++
				renewed += min(i, 1)
			}
		}
		if lines := treeDifferences(s.Rounds, replayState(s.State, wires, nil)); len(lines) > 0 {
			t.Errorf("state %d: twice is not the same: %s", s.Number, strings.Join(lines, "\n"))
		}
	}
	if exchanged == 0 || renewed == 0 {
		t.Errorf("%d exchanges, %d of them at a later time", exchanged, renewed)
	}
	seen := newStateDifferences()
	for _, s := range states {
		s.State.Time = s.State.Time.Add(100 * time.Hour)
		seen.add(s, treeDifferences(s.Rounds, replayState(s.State, wires, nil)))
	}
	if seen.states < len(states)/2 {
		t.Errorf("four days later it is the same for all but %d of %d states", seen.states, len(states))
	}
}
