// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
)

// A world is one simulation. Events happen one at a time, and the seed decides all of them.
type world struct {
	dice
	seed  uint64
	wires *wiring
	// now is the true time since epoch; offset is the error that the clocks of all machines share.
	now    time.Duration
	epoch  time.Time
	offset time.Duration
	agenda agenda

	api     *apiServer
	vendors *vendors
	judge   *judge
	// replicas are the running processes of the operator, the leader last.
	replicas []*replica
	started  int
	// running is the reconcile that is being executed. Nil between two of them.
	running *pass
	// workers is the number of concurrent reconciles of a replica.
	workers int
	// apiFault is how the API server fails at the moment.
	apiFault apiFault
	// lag is the minimum delay until a change reaches an informer cache.
	lag time.Duration
	// staleStarts lets a new process begin with an old list; startsBehind is how old that list is unless it is random.
	staleStarts  bool
	startsBehind time.Duration
	// calmed is set once faults have ended: what was scheduled to disturb the operator later is skipped.
	calmed bool
	// clocksHold keeps all clocks right, whatever else is flipped.
	clocksHold bool
	// skewed lets the machines' clocks differ from each other.
	skewed bool
	// overhears is called for every event and every write request. May be nil.
	overhears func(about types.NamespacedName, what string)
	// ends is called for every reconcile that ended. May be nil.
	ends func(*pass)
	// alone is the only object that is reconciled. Nil: all are.
	alone *types.NamespacedName
	// log is the operator's logger.
	log logr.Logger
	// story receives the lines of the world's log. Nil: none are formatted.
	story func(string)
	// passes counts all reconciles.
	passes int
	// busy counts the recent reconciles of each object, to find livelocks.
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

// clock returns the true time.
func (w *world) clock() time.Time { return w.epoch.Add(w.now) }

// local returns the time of a clock that has only the error that all share.
func (w *world) local() time.Time { return w.clock().Add(w.offset) }

func (w *world) after(d time.Duration, do func()) { w.agenda.add(w.now+d, do) }

// runTo lets everything happen until end.
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

// tell adds a line to the world's log. Nothing is formatted unless somebody listens.
func (w *world) tell(format string, args ...any) {
	if w.story != nil {
		w.story(fmt.Sprintf("%-22s ", w.now) + fmt.Sprintf(format, args...))
	}
}

// A violation is a broken promise.
type violation struct {
	invariant, detail string
	at                time.Duration
}

func (v *violation) Error() string { return fmt.Sprintf("%s: at %s: %s", v.invariant, v.at, v.detail) }

// violated reports a broken promise and ends the world.
func (w *world) violated(invariant, format string, args ...any) {
	v := &violation{invariant: invariant, detail: fmt.Sprintf(format, args...), at: w.now}
	w.tell("VIOLATED %s: %s", v.invariant, v.detail)
	panic(v)
}

// watched runs a world and returns the promise that it breaks, or nil.
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

// end frees the goroutines of reconciles that are still running.
func (w *world) end() {
	for _, r := range w.replicas {
		r.dead = true
		for _, p := range r.running {
			p.on.stop()
		}
	}
}
