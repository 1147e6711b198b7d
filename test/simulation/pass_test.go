// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A pass is one call of Reconcile. It runs as a coroutine and yields at every request for as long as the request takes, so that anything else in the
// world can happen between any two of its requests.
type pass struct {
	replica *replica
	name    types.NamespacedName
	began   time.Duration
	on      *coroutine

	// object is what the cache returned. Nil: nothing.
	object *v1alpha1.CDPCredential
	// secrets are the versions of the Secrets that the cache returned.
	secrets map[types.NamespacedName]string
	// history is how many changes its cache knew when it began; behind is set if there were more.
	history int
	behind  bool
	// requests are all requests that it made, in order.
	requests []string
	answer   *answer
	// refused is set once the API server has refused one of its requests.
	refused bool
	events  []string
	// sent is when it made its last request.
	sent time.Duration
	// expired is set once it has reported that the token expired.
	expired bool
	// before is the object as it was before its status was patched. Nil: it was not.
	before *v1alpha1.CDPCredential
	// publishesSpare is set once it has published a token that an earlier reconcile received and failed to write.
	publishesSpare bool
	// late is set if its status patch also carries what an earlier reconcile failed to write.
	late bool

	// cut is set once the API server, or the connection to it, failed one of its requests.
	cut bool

	result ctrl.Result
	err    error
}

func (r *replica) startPass(name types.NamespacedName) {
	r.w.countPass(name)
	if r.w.wires.begins != nil {
		r.w.wires.begins(r, name)
	}
	p := &pass{replica: r, name: name, began: r.w.now, history: min(r.cache.watches[0].heard, r.cache.watches[1].heard), secrets: map[types.NamespacedName]string{}}
	p.behind = r.behind(name.Namespace)
	r.running = append(r.running, p)
	r.w.passes++
	p.on = r.w.wires.coroutine()
	p.on.job = func() {
		defer func() {
			switch e := recover().(type) {
			case nil:
			case killed, *violation:
				panic(e)
			default:
				panic(fmt.Sprintf("seed %d: %v\n%s", r.w.seed, e, debug.Stack()))
			}
		}()
		p.result, p.err = r.reconciler.Reconcile(ctrl.LoggerInto(context.Background(), r.w.log), requestFor(name))
	}
	p.step()
}

// An object that is reconciled more than maxPasses times within loopWithin is in an endless loop.
const (
	maxPasses  = 500
	loopWithin = 10 * time.Second
)

// busyObject counts the reconciles of an object since a point in time.
type busyObject struct {
	since  time.Duration
	passes int
}

// countPass finds reconciles that trigger each other.
func (w *world) countPass(name types.NamespacedName) {
	busy := w.busy[name]
	if w.now-busy.since > loopWithin {
		busy = busyObject{since: w.now}
	}
	busy.passes++
	w.busy[name] = busy
	if busy.passes > maxPasses {
		w.violated("livelock", "%d reconciles of %s within %s", busy.passes, name, w.now-busy.since)
	}
}

// step runs the reconcile until it yields or ends.
func (p *pass) step() {
	r := p.replica
	if r.dead {
		return
	}
	if r.paused {
		r.parked = append(r.parked, p.step)
		return
	}
	r.w.running = p
	wait, more := p.on.resume()
	r.w.running = nil
	switch {
	case r.dying:
		r.kill()
	case more:
		r.w.after(wait, p.step)
	default:
		r.w.wires.idle = append(r.w.wires.idle, p.on)
		r.passEnded(p)
	}
}

// sleep yields for d.
func (p *pass) sleep(d time.Duration) {
	if !p.on.yield(d) {
		panic(killed{})
	}
}

// mayDie is a point at which the replica may be killed. If it is, last is called before that, unless it is nil.
func (p *pass) mayDie(last func()) {
	r := p.replica
	r.maySetClock()
	if r.fuse == 0 {
		return
	}
	if r.fuse--; r.fuse == 0 {
		if last != nil {
			last()
		}
		r.dying = true
		p.sleep(0)
	}
}

// request makes a request to the API server; do is its effect there.
func (p *pass) request(what string, writes bool, do func() error) error {
	w := p.replica.w
	p.requests, p.sent = append(p.requests, what), w.now
	if w.judge.stats.requests++; writes {
		w.judge.stats.writes++
	}
	if w.overhears != nil && !strings.HasPrefix(what, "get ") {
		w.overhears(p.name, what)
	}
	p.mayDie(nil)
	// The request of a killed process may still arrive.
	arrives := func() {
		w.after(time.Millisecond, func() {
			w.tell("replica %d, dead: %s arrives nevertheless", p.replica.id, what)
			_ = do()
		})
	}
	if writes {
		p.mayDie(arrives)
	}
	there := w.between(time.Millisecond, 5*time.Millisecond)
	if w.apiFault.slow > 0 {
		there += w.about(w.apiFault.slow)
	}
	if !p.on.yield(there) {
		if writes && w.maybe(0.5) {
			arrives()
		}
		panic(killed{})
	}
	if err := w.apiFault.refuse(w); err != nil {
		p.cut = true
		w.tell("replica %d: %s: refused: %v", p.replica.id, what, err)
		p.refused = true
		p.sleep(time.Millisecond)
		return err
	}
	err := w.apiFault.deny(what)
	if p.cut = p.cut || err != nil; err == nil {
		err = do()
	}
	w.tell("replica %d: %s: %s: %v", p.replica.id, p.name.Name, what, err)
	p.sleep(w.between(time.Millisecond, 5*time.Millisecond))
	if w.apiFault.late > 0 && strings.HasPrefix(what, "get ") {
		p.sleep(w.about(w.apiFault.late))
	}
	p.mayDie(nil)
	if lost := w.apiFault.lose(w); lost != nil && err == nil {
		w.tell("replica %d: %s: the answer is lost", p.replica.id, what)
		p.replica.lostAnswers, p.cut = true, true
		return lost
	}
	return err
}
