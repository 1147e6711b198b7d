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
	recordTo    = flag.String("simulation.record", "", "record states, and what happens to them, in this file")
	compareWith = flag.String("simulation.compare", "", "compare what happens to the states of this file with what is recorded there")
	stateCount  = flag.Int("simulation.states", 20000, "number of states to record")
	onlyState   = flag.Int("simulation.state", 0, "replay only this state of the file, and print what happens")
)

// perSeed is the maximum number of states recorded per world; kindShare is the maximum share of states of one kind.
const (
	perSeed   = 8
	kindShare = 0.02
)

// A recordedState is a line of the file, numbered from 1.
type recordedState struct {
	Number int      `json:"number"`
	State  *state   `json:"state"`
	Rounds []*round `json:"rounds"`
}

// TestStates compares what happens to recorded states with what happened when they were recorded.
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

// gatherStates passes the wanted number of states to take, with what happens to them, and returns the number of their kinds.
func gatherStates(t *testing.T, wanted int, take func(*recordedState)) (kinds int) {
	seen, ofKind, number, seed := map[string]bool{}, map[string]int{}, 0, *first
	worlds := newWorkers[map[string]*state](t)
	replays := newWorkers[*recordedState](t)
	for number < wanted {
		var chosen []*recordedState
		for _, states := range worlds.do(8*len(worlds.wires), func(i int, wires *wiring) map[string]*state { return statesOf(seed+uint64(i), wires) }) {
			left := perSeed
			for _, signature := range slices.Sorted(maps.Keys(states)) { // an order that does not depend on time
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

// vary lets the endpoint fail, or the API server refuse writes, in every second state.
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

// stored returns the state as it is after it was written and read.
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

// workers run jobs in parallel, each worker with its own wiring.
type workers[Out any] struct{ wires []*wiring }

func newWorkers[Out any](t *testing.T) *workers[Out] {
	w := &workers[Out]{}
	for range runtime.GOMAXPROCS(0) {
		w.wires = append(w.wires, newWiring(t))
	}
	return w
}

// do returns the results of n jobs, in order.
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

// compareStates reads the file and reports what has changed.
func compareStates(t *testing.T) {
	file, err := os.Open(*compareWith)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }() // opened for reading only
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
		t.Errorf("for %d of %d states something else happens than was recorded", found.states, found.all)
	}
}

// tellState prints a state and what happens to it.
func tellState(t *testing.T, s *recordedState, wires *wiring) {
	text, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("recorded: %s\nwhat happens now:\n", text)
	replayState(s.State, wires, func(line string) { fmt.Println(line) })
}

// aFewStates shows that replays are repeatable, and that differences are found.
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
			t.Errorf("state %d: two replays differ: %s", s.Number, strings.Join(lines, "\n"))
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
		t.Errorf("four days later, only %d of %d states differ", seen.states, len(states))
	}
}
