// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"time"
)

func (w *world) faultEnds(about time.Duration, end func()) string {
	d := w.about(about)
	w.judge.obstruct(nil, d+90*time.Second)
	w.after(d, end)
	return d.String()
}

// leader returns the process that leads and runs, or nil.
func (w *world) leader() *replica {
	for _, r := range w.replicas {
		if !r.deposed && !r.paused {
			return r
		}
	}
	return nil
}

// elect starts a new process after a while, unless one leads by then.
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

// suspendReplica pauses a process for d, as SIGSTOP or a sleeping machine does. Another one takes over when the lease has expired; the old one
// continues where it was until it notices.
func (w *world) suspendReplica(r *replica, d time.Duration) {
	r.paused, r.pausedAt = true, w.now
	w.judge.obstruct(nil, d+10*time.Second)
	w.after(d, func() {
		if r.dead {
			return
		}
		w.tell("replica %d continues", r.id)
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

// holdWatches lets the caches fall behind.
func (w *world) holdWatches(d time.Duration) {
	if w.judge.obstructed > w.now-5*time.Second {
		w.judge.obstruct(nil, d) // the latest change may not have reached the caches yet
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

// furnish sets up vendors and machines according to the plan.
func (w *world) furnish(p *plan) {
	for _, name := range hostNames {
		h := &host{
			name: name, lifetime: p.lifetime, opaque: name != apsisHost && (name == algonomyHost || w.maybe(0.7)), scoped: w.maybe(0.3), kept: map[string]*token{}, troubled: map[string]trouble{},
		}
		h.dated = !h.opaque || w.maybe(0.7)
		w.vendors.hosts[name] = h
	}
	w.lag = pick(w, []time.Duration{2 * time.Millisecond, 50 * time.Millisecond})
	for _, o := range p.objects {
		w.judge.objects = append(w.judge.objects, &object{w: w, name: o.name()})
	}
	for _, f := range p.flips {
		w.tell("FLIPPED: %s", f.name)
		if f.flip != nil {
			w.judge.stats.flips[f.name] = 1
			w.with(f.seed, func() { f.flip(w) })
		}
	}
	if w.clocksHold {
		w.offset, w.skewed = 0, false
		for _, h := range w.vendors.hosts {
			h.offset = 0
		}
	}
}

// with calls do with dice of its own.
func (w *world) with(seed uint64, do func()) {
	mine := w.dice
	w.dice = newDice(seed, 0xd1ce)
	do()
	w.dice = mine
}

// happen executes an event.
func (w *world) happen(p *plan, e *event) {
	if a := e.assumption; a != nil {
		w.judge.stats.flips[a.name] = 1
		w.tell("FAULT %s", a.name)
		said := a.episode(w, min(p.pace, p.lifetime/3))
		w.tell("FAULT %s: %s", a.name, said)
		return
	}
	o := w.judge.object(planned{number: e.object, namespace: p.namespaceOf(e.object)}.name())
	if o.get() == nil || w.api.ending[o.name.Namespace] {
		return
	}
	said := e.action.do(w, o)
	w.tell("USER %s: %s: %s", o.name.Name, e.action.name, said)
	w.judge.userActed()
}

// makeChaos executes the plan's events.
func (w *world) makeChaos(p *plan) {
	end := w.now + p.chaos
	began := w.now
	for i := range p.events {
		e := &p.events[i]
		w.runTo(began + e.at)
		w.with(e.seed, func() { w.happen(p, e) })
	}
	w.runTo(end)
}
