package simulation

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// A profile is what kind of world a seed makes: not every world has everything in it, or the rare things would hide behind the frequent ones.
type profile struct {
	objects  int
	lifetime time.Duration
	// chaos is how long things happen, pace how much time is between two of them on average.
	chaos, pace time.Duration
	actions     []action
	faults      []fault
}

// A fault is something that goes wrong, for about as long as it is told.
type fault struct {
	name string
	do   func(w *world, about time.Duration) string
}

var faults = []fault{
	{"a vendor is in trouble", vendorTrouble},
	{"the API server fails now and then", func(w *world, about time.Duration) string {
		w.apiFault = apiFault{refused: w.chance.Float64() / 2, lost: w.chance.Float64() / 3, slow: pick(w, []time.Duration{0, 100 * time.Millisecond, 2 * time.Second})}
		return w.faultEnds(about, func() { w.apiFault = apiFault{} })
	}},
	{"the API server is down", func(w *world, about time.Duration) string {
		w.apiFault = apiFault{refused: 1}
		d := w.about(about)
		w.holdWatches(d)
		w.judge.obstruct(nil, d+90*time.Second)
		w.after(d, func() { w.apiFault = apiFault{} })
		return d.String()
	}},
	{"watches hang", func(w *world, about time.Duration) string {
		d := min(w.about(about), 10*time.Minute)
		w.holdWatches(d)
		return d.String()
	}},
	{"the leader is killed", func(w *world, _ time.Duration) string {
		if r := w.leader(); r != nil {
			r.kill()
		}
		return ""
	}},
	{"the leader is going to be killed", func(w *world, _ time.Duration) string {
		if r := w.leader(); r != nil {
			r.fuse = 1 + w.chance.IntN(10)
			return fmt.Sprintf("at point %d", r.fuse)
		}
		return ""
	}},
	{"the leader stops for a while", func(w *world, about time.Duration) string {
		r := w.leader()
		if r == nil {
			return ""
		}
		d := w.about(about)
		w.suspendReplica(r, d)
		return d.String()
	}},
}

func (w *world) faultEnds(about time.Duration, end func()) string {
	d := w.about(about)
	w.judge.obstruct(nil, d+90*time.Second)
	w.after(d, end)
	return d.String()
}

func vendorTrouble(w *world, about time.Duration) string {
	h := w.vendors.hosts[pick(w, []string{oauthHost, oauthHost, otherHost, auth0Host, apsisHost, algonomyHost, apiHost})]
	what := trouble(1 + w.chance.IntN(int(troubles)-1))
	if (what == rejectingTokens || what == forbidding) != (h.name == apiHost) {
		what = serverError
	}
	h.trouble = what
	d := w.about(about)
	for _, o := range w.judge.objects {
		if obj := o.get(); obj != nil {
			if host, _ := needs(&obj.Spec.Provider); host == h.name || h.name == apiHost {
				w.judge.obstruct(o, d)
			}
		}
	}
	w.after(d, func() { h.trouble = fine })
	return fmt.Sprintf("%s: %s for %s", h.name, what, d)
}

// leader is the process that leads and runs, nil if none does.
func (w *world) leader() *replica {
	for _, r := range w.replicas {
		if !r.deposed && !r.paused {
			return r
		}
	}
	return nil
}

// elect has a new process begin after a while, unless there is one by then.
func (w *world) elect(after time.Duration) {
	w.judge.obstruct(nil, after+10*time.Second)
	w.after(after, func() {
		if w.leader() != nil {
			return
		}
		behind := w.startsBehind
		if w.staleStarts && w.maybe(0.5) {
			behind = w.about(5 * time.Minute)
			w.judge.obstruct(nil, 2*behind)
		}
		w.startReplica(behind)
	})
}

// suspendReplica stops a process for d, as SIGSTOP or a machine that sleeps does. Another one leads when the lease has run out; the old one
// goes on where it was until it notices.
func (w *world) suspendReplica(r *replica, d time.Duration) {
	r.paused = true
	w.judge.obstruct(nil, d+10*time.Second)
	w.after(d, func() {
		if r.dead {
			return
		}
		w.tell("replica %d goes on", r.id)
		if r.deposed {
			w.after(w.about(time.Second), func() {
				if !r.dead {
					r.kill()
				}
			})
		}
		r.proceed()
	})
	if d > 15*time.Second {
		w.elect(15 * time.Second)
	}
}

// holdWatches makes the caches fall behind.
func (w *world) holdWatches(d time.Duration) {
	if w.judge.obstructed > w.now-5*time.Second {
		w.judge.obstruct(nil, d) // what has just happened may not be known yet
	}
	for _, r := range w.replicas {
		for i := range r.cache.watches {
			if watch := &r.cache.watches[i]; w.maybe(0.7) {
				watch.stuckUntil = max(watch.stuckUntil, w.now+d)
				watch.relist = w.maybe(0.5)
			}
		}
	}
}

// some gives a part of a list, for a world that has not everything in it.
func some[T any](w *world, list []T) []T {
	var out []T
	p := pick(w, []float64{0, 0.1, 0.3, 0.7, 1})
	for _, item := range list {
		if w.maybe(p) {
			out = append(out, item)
		}
	}
	return out
}

func (w *world) profile() profile {
	lifetime := pick(w, []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, time.Hour, time.Hour, 6 * time.Hour, 24 * time.Hour})
	p := profile{
		objects: 1 + w.chance.IntN(3), lifetime: lifetime,
		chaos:   min(max(12*lifetime, 30*time.Minute), 36*time.Hour),
		actions: some(w, actions), faults: some(w, faults),
	}
	p.pace = p.chaos / time.Duration(5+w.chance.IntN(60))
	return p
}

// settle makes the vendors and the machines as the seed has them.
func (w *world) furnish(p profile) {
	w.staleStarts = w.maybe(0.5)
	w.offset = pick(w, []time.Duration{0, 0, 10 * time.Minute, -10 * time.Minute})
	w.lag = pick(w, []time.Duration{2 * time.Millisecond, 50 * time.Millisecond, 2 * time.Second})
	for _, name := range []string{oauthHost, otherHost, auth0Host, apsisHost, algonomyHost, apiHost} {
		h := &host{
			name: name, lifetime: p.lifetime, opaque: name != apsisHost && (name == algonomyHost || w.maybe(0.7)),
			offset: pick(w, []time.Duration{0, 0, time.Second, 10 * time.Minute, -10 * time.Minute}),
			scoped: w.maybe(0.3), caching: w.maybe(0.15) && name != algonomyHost, kept: map[string]*token{},
		}
		h.dated = !h.opaque || w.maybe(0.7)
		w.vendors.hosts[name] = h
	}
	for i := range p.objects {
		w.judge.objects = append(w.judge.objects, &object{w: w, name: types.NamespacedName{Namespace: pick(w, []string{"a", "a", "b"}), Name: fmt.Sprintf("obj%d", i)}})
	}
}

// happen makes one thing happen.
func (w *world) happen(p profile) {
	if len(p.faults) > 0 && (len(p.actions) == 0 || w.maybe(0.4)) {
		f := pick(w, p.faults)
		w.tell("FAULT %s", f.name)
		said := f.do(w, min(p.pace, p.lifetime/3))
		w.tell("FAULT %s: %s", f.name, said)
		return
	}
	o := pick(w, w.judge.objects)
	if len(p.actions) == 0 || o.get() == nil {
		return
	}
	a := pick(w, p.actions)
	said := a.do(w, o)
	w.tell("USER %s: %s: %s", o.name.Name, a.name, said)
	w.judge.userActed()
}

// makeChaos runs the world for as long as the profile says.
func (w *world) makeChaos(p profile) {
	end := w.now + p.chaos
	for w.now < end {
		w.runFor(w.about(p.pace))
		if w.now < end {
			w.happen(p)
		}
	}
}
