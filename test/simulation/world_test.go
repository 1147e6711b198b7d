// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
)

// A world is one simulation. All that happens in it happens one after the other, and is decided by the seed.
type world struct {
	dice
	seed  uint64
	wires *wiring
	// now is the time since epoch. The operator's clock is off by offset.
	now    time.Duration
	epoch  time.Time
	offset time.Duration
	agenda agenda

	api     *apiServer
	vendors *vendors
	judge   *judge
	// replicas are the processes that run, the leader last.
	replicas []*replica
	started  int
	// running is the pass that has the processor.
	running *pass
	// workers is how many passes a replica makes at a time.
	workers int
	// apiFault is how the API server fails at the moment.
	apiFault apiFault
	// lag is the least time that a change takes to reach a cache.
	lag time.Duration
	// staleStarts says that a new process may begin with an old list, startsBehind how old it is, if not by chance.
	staleStarts  bool
	startsBehind time.Duration
	// calmed says that nobody does anything any more that was not begun before.
	calmed bool
	// clocksHold says that all clocks are right and stay so, whatever is flipped besides.
	clocksHold bool
	// skewed says that the machines' clocks differ.
	skewed bool
	// overhears is told of every event and of every write that is asked of the API server. Nil: nobody listens.
	overhears func(about types.NamespacedName, what string)
	// ends is told of every pass that has ended. Nil: nobody is.
	ends func(*pass)
	// alone is the one object that is looked at. Nil: all are.
	alone *types.NamespacedName
	// log is what the operator logs into.
	log logr.Logger
	// story is told what happens. Nil: nobody listens.
	story func(string)
	// passes counts them.
	passes int
	// busy counts those of each object in the last seconds.
	busy map[types.NamespacedName]busyObject
}

func newWorld(seed uint64, wires *wiring) *world {
	w := &world{
		seed: seed, wires: wires, dice: newDice(seed, 0x5eed),
		epoch: time.Date(2026, 8, 3, 22, 14, 7, 0, time.UTC), lag: 5 * time.Millisecond, workers: 3, log: logr.Discard(),
		busy: map[types.NamespacedName]busyObject{},
	}
	w.api, w.vendors, w.judge = newAPIServer(w), newVendors(w), newJudge(w)
	return w
}

// clock is the true time.
func (w *world) clock() time.Time { return w.epoch.Add(w.now) }

// local is the time by clocks that are wrong only in what all are.
func (w *world) local() time.Time { return w.clock().Add(w.offset) }

func (w *world) after(d time.Duration, do func()) { w.agenda.add(w.now+d, do) }

// runTo lets everything happen until then.
func (w *world) runTo(end time.Duration) {
	for {
		at, ok := w.agenda.next()
		if !ok || at > end {
			w.now = max(w.now, end)
			return
		}
		e := w.agenda.pop()
		w.now = e.at
		e.do()
	}
}

func (w *world) runFor(d time.Duration) { w.runTo(w.now + d) }

// tell adds a line to the story. What it costs is paid only when somebody listens.
func (w *world) tell(format string, args ...any) {
	if w.story != nil {
		w.story(fmt.Sprintf("%-22s ", w.now) + fmt.Sprintf(format, args...))
	}
}

// A violation is a promise that was broken.
type violation struct {
	invariant, detail string
	at                time.Duration
}

func (v *violation) Error() string { return fmt.Sprintf("%s: at %s: %s", v.invariant, v.at, v.detail) }

// violated ends the world.
func (w *world) violated(invariant, format string, args ...any) {
	v := &violation{invariant: invariant, detail: fmt.Sprintf(format, args...), at: w.now}
	w.tell("VIOLATED %s: %s", v.invariant, v.detail)
	panic(v)
}

// watched runs a world and returns the promise that it breaks.
func (w *world) watched(run func()) (broken *violation) {
	defer func() {
		w.end()
		switch e := recover().(type) {
		case nil:
		case *violation:
			broken = e
		default:
			panic(e)
		}
	}()
	run()
	return nil
}

// end frees what the passes hold that are still under way.
func (w *world) end() {
	for _, r := range w.replicas {
		r.dead = true
		for _, p := range r.running {
			p.on.stop()
		}
	}
}
