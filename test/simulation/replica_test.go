// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cdpcredentials/cdp-credential-operator/controllers"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// A replica is a process of the operator that leads or believes that it does.
type replica struct {
	apiClient
	clocks
	w          *world
	id         int
	reconciler *controllers.CDPCredentialReconciler
	cache      mirror

	// queue is when each object is to be reconciled. Objects that are due wait in backlog for a worker.
	queue   map[types.NamespacedName]time.Duration
	backlog []types.NamespacedName
	running []*pass

	// fuse is the number of crash points left until the process is killed. Zero: it is not.
	fuse                int
	dying, dead, paused bool
	// pausedAt is when it was paused; sleeps is set if its machine sleeps, so that its timers stand still, too.
	pausedAt time.Duration
	sleeps   bool
	// parked are the calls that became due while it was paused.
	parked []func()
	// deposed is set once another replica leads.
	deposed bool
	// lostAnswers is set once a write succeeded whose response was lost.
	lostAnswers bool
	// untold are the objects whose status could not be written.
	untold map[types.UID]bool
	// asked are the objects for which it received a token or confirmed with the API server that they need one.
	asked map[types.UID]bool
}

// startReplica starts a process whose cache shows the world as it was behind ago.
func (w *world) startReplica(behind time.Duration) *replica {
	w.started++
	r := &replica{w: w, id: w.started, queue: map[types.NamespacedName]time.Duration{}, asked: map[types.UID]bool{}, untold: map[types.UID]bool{}}
	r.apiClient.replica, r.clocks.w = r, w
	if w.skewed {
		r.skew = pick(w, []time.Duration{0, 35 * time.Minute, -35 * time.Minute})
	}
	r.reconciler = &controllers.CDPCredentialReconciler{
		Cluster:   controllers.Cluster{Client: r, Live: liveReader{r}, Recorder: recorder{w}},
		Endpoints: controllers.Endpoints{Transports: w.vendors, Exchanger: exchange.Exchanger{Now: r.Now, Rand: w.vendors}, Gate: r.gate()},
		Sources:   controllers.Sources{Clock: r, LocalClock: r, Jitter: func() float64 { return w.chance.Float64() }, Rand: w.vendors},
		Metrics:   metrics,
		OwnWrites: &credential.OwnWrites{},
	}
	for _, older := range w.replicas {
		older.deposed = true
	}
	w.replicas, w.judge.stirred = append(w.replicas, r), w.now
	for _, o := range w.judge.objects {
		w.wires.limiter.Forget(r.queued(o.name)) // of the previous world
	}
	w.tell("replica %d starts, its cache %s behind, its clock off by %s", r.id, behind, w.offset+r.skew)
	r.fillCache(behind)
	return r
}

// queued returns the object's key in the rate limiter, which all replicas share; real ones have one each.
func (r *replica) queued(name types.NamespacedName) reconcile.Request {
	return requestFor(types.NamespacedName{Namespace: name.Namespace, Name: fmt.Sprintf("%s/%d", name.Name, r.id)})
}

// gate returns a gate that wakes objects through the replica's queue and whose timers are the world's.
func (r *replica) gate() *egress.Gate {
	g := egress.NewGate(egress.Limits{Workers: r.w.workers})
	g.Notify(
		func(object string) {
			namespace, name, _ := strings.Cut(object, "/")
			r.enqueue(types.NamespacedName{Namespace: namespace, Name: name}, 0)
		},
		func(d time.Duration, f func(time.Time)) { r.w.after(d, func() { r.timer(f) }) })
	return g
}

// timer calls f on behalf of the process, once that is not paused.
func (r *replica) timer(f func(time.Time)) {
	switch {
	case r.dead:
	case r.paused:
		r.parked = append(r.parked, func() { r.timer(f) })
	default:
		f(r.Now())
	}
}

// A recorder records events.
type recorder struct{ w *world }

func (r recorder) Eventf(_, _ runtime.Object, kind, reason, _, note string, args ...any) {
	p := r.w.running
	p.events = append(p.events, kind+" "+reason)
	if r.w.overhears != nil {
		r.w.overhears(p.name, "event "+kind+" "+reason+": "+fmt.Sprintf(note, args...))
	}
}

// enqueue queues an object for later. The earliest time wins, as in controller-runtime's priority queue.
func (r *replica) enqueue(name types.NamespacedName, after time.Duration) {
	if r.w.alone != nil && *r.w.alone != name {
		return
	}
	at := r.w.now + after
	if have, ok := r.queue[name]; ok && have <= at {
		return
	}
	r.queue[name] = at
	r.w.after(after, func() { r.due(name, at) })
}

func (r *replica) due(name types.NamespacedName, at time.Duration) {
	switch {
	case r.dead || r.queue[name] != at:
	case r.paused:
		r.parked = append(r.parked, func() { r.due(name, at) })
	default:
		if !slices.Contains(r.backlog, name) {
			r.backlog = append(r.backlog, name)
		}
		r.work()
	}
}

// work starts as many reconciles as there are free workers, one per object.
func (r *replica) work() {
	for i := 0; i < len(r.backlog) && len(r.running) < r.w.workers && !r.dead; {
		name := r.backlog[i]
		if slices.ContainsFunc(r.running, func(p *pass) bool { return p.name == name }) {
			i++
			continue
		}
		r.backlog = slices.Delete(r.backlog, i, i+1)
		delete(r.queue, name)
		r.startPass(name)
		i = 0
	}
}

// passEnded handles the result as controller-runtime does.
func (r *replica) passEnded(p *pass) {
	r.running = slices.DeleteFunc(r.running, func(other *pass) bool { return other == p })
	if r.w.ends != nil {
		r.w.ends(p)
	}
	limiter := r.w.wires.limiter
	switch {
	case p.err != nil:
		r.w.tell("replica %d: %s: reconcile failed: %v", r.id, p.name.Name, p.err)
		r.w.log.Error(p.err, "Reconciler error", "name", p.name.Name) // as controller-runtime does
		r.enqueue(p.name, limiter.When(r.queued(p.name)))
	case p.result.RequeueAfter > 0:
		limiter.Forget(r.queued(p.name))
		r.enqueue(p.name, p.result.RequeueAfter)
	default:
		limiter.Forget(r.queued(p.name))
	}
	if len(p.requests) > 0 && p.err == nil {
		r.w.tell("replica %d: %s: reconcile ended, requeue after %s", r.id, p.name.Name, p.result.RequeueAfter)
	}
	r.w.judge.passEnded(p)
	r.work()
}

// kill ends the process at once.
func (r *replica) kill() {
	r.w.tell("replica %d is killed", r.id)
	r.dead = true
	r.w.replicas = slices.DeleteFunc(r.w.replicas, func(other *replica) bool { return other == r })
	for _, p := range r.running {
		p.on.stop()
		r.w.judge.passKilled(p)
	}
	r.running = nil
	r.w.judge.replicaEnded(r)
	if !r.deposed {
		r.w.elect(r.w.between(time.Second, 20*time.Second))
	}
}

// proceed ends a pause.
func (r *replica) proceed() {
	r.paused = false
	parked := r.parked
	if r.sleeps {
		r.sleeps = false
		r.slept(r.w.now - r.pausedAt)
	}
	r.parked = nil
	for _, do := range parked {
		if r.paused {
			r.parked = append(r.parked, do)
		} else {
			do()
		}
	}
}

// For implements controllers.Transports.
func (v *vendors) For(_ string, caBundle []byte) (http.RoundTripper, error) {
	if len(caBundle) > 0 {
		return nil, &egress.CABundleError{Why: "it is not complete PEM"}
	}
	return v, nil
}

var errLost = errors.New("read the answer: the connection was reset")
