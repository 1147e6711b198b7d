// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// startUp measures the time from exec to the manager's first reconcile, with little to list but the unrelated Secrets.
func (r *runner) startUp(ctx context.Context) error {
	f, err := r.newFleet(ctx, "start", r.namespaces)
	if err != nil {
		return err
	}
	if err := f.create(ctx); err != nil {
		return err
	}
	from, err := r.mark(ctx)
	if err != nil {
		return err
	}
	if err := r.launch(ctx); err != nil {
		return err
	}
	if err := r.observer.wait(ctx, f, f.size, 1); err != nil {
		return err
	}
	t, err := r.since(ctx, from, operatorAccount)
	if err != nil {
		return err
	}
	r.add("start-up", "exec to the first object's first request", milliseconds(t.requests.firstGet().Sub(r.launched)), "ms")
	return r.stop()
}

// warmUp is the number of objects that the bare loop handles before it is measured: an API server's first requests of a kind are slower.
const warmUp = 300

// before measures the limit before the phase that is compared with it.
func (r *runner) before(ctx context.Context) (err error) {
	r.limits, err = r.bare(ctx, "before")
	return err
}

// compare measures the limit again, because an API server gets slower the more it stores, and compares the rate of a phase with the mean.
func (r *runner) compare(ctx context.Context) error {
	if err := r.stop(); err != nil {
		return err
	}
	after, err := r.bare(ctx, "after")
	if err != nil {
		return err
	}
	for i, name := range withAndWithout {
		r.add(r.compared, "rate, as a share of the bare loop's "+name, 2*r.rate/(r.limits[i]+after[i]), "")
	}
	return nil
}

var withAndWithout = []string{"with an event", "without the event"}

// bare measures the limit in objects per second, with an event and without.
func (r *runner) bare(ctx context.Context, when string) (limits [2]float64, err error) {
	n, phase := min(r.credentials, 2000), "bare loop, "+when
	f, err := r.newFleet(ctx, "bare-"+when, 2*n+warmUp)
	if err != nil {
		return limits, err
	}
	if err := f.create(ctx); err != nil {
		return limits, err
	}
	if _, err := runBare(ctx, r.temp, r.kubeconfigs[bareAccount], f, 2*n, warmUp, true); err != nil {
		return limits, err
	}
	for i, name := range withAndWithout {
		from, err := r.mark(ctx)
		if err != nil {
			return limits, err
		}
		used, err := runBare(ctx, r.temp, r.kubeconfigs[bareAccount], f, i*n, n, i == 0)
		if err != nil {
			return limits, err
		}
		t, err := r.since(ctx, from, bareAccount)
		if err != nil {
			return limits, err
		}
		limits[i] = t.rate(n)
		r.add(phase, name, limits[i], "objects/s")
		r.add(phase, name+", requests", t.perObject(n), "an object")
		r.add(phase, name+", processor time of the loop itself", 1000*used/float64(n), "ms an object")
		r.add(phase, name+", processor time of kube-apiserver", 1000*t.cpu["kube-apiserver"]/float64(n), "ms an object")
	}
	return limits, f.remove(ctx)
}

// firstSync measures the first sync with objects that are older than the manager.
func (r *runner) firstSync(ctx context.Context) (err error) {
	const phase = "first sync"
	if r.fleet, err = r.newFleet(ctx, "fleet", r.credentials); err != nil {
		return err
	}
	if err := r.fleet.create(ctx); err != nil {
		return err
	}
	from, err := r.mark(ctx)
	if err != nil {
		return err
	}
	if err := r.launch(ctx, openGate...); err != nil {
		return err
	}
	profiled := make(chan error, 1)
	go func() { profiled <- r.takeProfiles(ctx, r.fleet) }()
	if err := r.observer.wait(ctx, r.fleet, r.fleet.size, 1); err != nil {
		return err
	}
	t, err := r.since(ctx, from, operatorAccount)
	if err != nil {
		return err
	}
	if err := <-profiled; err != nil {
		return err
	}
	r.toCompare(phase, t.rate(r.credentials))
	r.add(phase, "exec to the first object's first request", milliseconds(t.requests.firstGet().Sub(r.launched)), "ms")
	r.addCounts(phase, t, r.credentials)
	for _, name := range slices.Sorted(maps.Keys(t.cpu)) {
		r.add(phase, "processor time of "+name, 1000*t.cpu[name]/float64(r.credentials), "ms an object")
	}
	return r.addMemory(phase)
}

// toCompare adds the rate that is compared with the bare loop's.
func (r *runner) toCompare(phase string, rate float64) {
	r.compared, r.rate = phase, rate
	r.add(phase, "rate", rate, "objects/s")
}

// takeProfiles takes the requested profiles while a fleet gets its Secrets.
func (r *runner) takeProfiles(ctx context.Context, f *fleet) error {
	if strings.Contains(r.profile, "cpu") {
		if err := r.manager.Ready(ctx); err != nil {
			return err
		}
		if err := r.save(ctx, fmt.Sprintf("/debug/pprof/profile?seconds=%d", 2+r.credentials/150), "bench-cpu.pprof"); err != nil {
			return err
		}
	}
	if !strings.Contains(r.profile, "heap") {
		return nil
	}
	if err := r.observer.wait(ctx, f, f.size, 1); err != nil {
		return err
	}
	return r.save(ctx, "/debug/pprof/heap?gc=1", "bench-heap.pprof")
}

// restart measures a restart with nothing to do: a new process must find that out by itself and write nothing.
func (r *runner) restart(ctx context.Context) error {
	const phase = "restart"
	if err := r.stop(); err != nil {
		return err
	}
	from, err := r.mark(ctx)
	if err != nil {
		return err
	}
	if err := r.launch(ctx, openGate...); err != nil {
		return err
	}
	if err := r.manager.Ready(ctx); err != nil {
		return err
	}
	r.add(phase, "exec to ready", time.Since(r.launched).Seconds(), "s")
	for looked := 0.0; looked < float64(r.credentials); {
		if looked, err = r.passes(ctx); err != nil {
			return err
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	r.add(phase, "exec to every object looked at", time.Since(r.launched).Seconds(), "s")
	t, err := r.since(ctx, from, operatorAccount)
	if err != nil {
		return err
	}
	r.add(phase, "exchanges", float64(t.exchanges), "")
	r.add(phase, "writes", float64(t.requests.writes()), "")
	r.add(phase, "GETs of an object", float64(t.requests.gets()), "")
	r.add(phase, "requests in all", float64(len(t.requests)), "")
	for _, what := range slices.Sorted(maps.Keys(t.requests.counts())) {
		r.add(phase, "  "+what, float64(t.requests.counts()[what]), "")
	}
	r.add(phase, "processor time of manager", t.cpu["manager"], "s")
	return r.addMemory(phase)
}

// churn annotates every credential.
func (r *runner) churn(ctx context.Context) error {
	const phase = "churn: an annotation on every object"
	t, err := r.during(ctx, r.fleet.annotate)
	if err != nil {
		return err
	}
	r.add(phase, "exchanges", float64(t.exchanges), "")
	r.add(phase, "writes", float64(t.requests.writes()), "")
	r.add(phase, "requests in all", float64(len(t.requests)), "")
	r.add(phase, "processor time of manager", t.cpu["manager"], "s")
	return nil
}

// drift deletes targets.
func (r *runner) drift(ctx context.Context) error {
	const phase = "drift: targets deleted"
	n := min(r.credentials, 1000)
	t, err := r.during(ctx, func(ctx context.Context) error {
		if err := r.fleet.deleteTargets(ctx, n); err != nil {
			return err
		}
		return r.observer.wait(ctx, r.fleet, n, 2)
	})
	if err != nil {
		return err
	}
	r.add(phase, "deleted", float64(n), "")
	r.addCounts(phase, t, n)
	return nil
}

// rotation changes every client Secret.
func (r *runner) rotation(ctx context.Context) error {
	const phase = "rotation: every client Secret changed"
	t, err := r.during(ctx, func(ctx context.Context) error {
		from, err := r.endpoint.count(ctx)
		if err != nil {
			return err
		}
		if err := r.fleet.rotate(ctx); err != nil {
			return err
		}
		for issued := from; issued < from+r.credentials; {
			if issued, err = r.endpoint.count(ctx); err != nil {
				return err
			}
			if err := pause(ctx, 100*time.Millisecond); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.addCounts(phase, t, r.credentials)
	return r.addMemory(phase)
}

// idle applies objects one at a time, each to an operator that has nothing else to do.
func (r *runner) idle(ctx context.Context) error {
	const phase = "one object, applied to an idle operator"
	f, err := r.newFleet(ctx, "idle", 30)
	if err != nil {
		return err
	}
	if _, err := r.since(ctx, mark{}, operatorAccount); err != nil {
		return err
	}
	var beyond []float64
	for i := range f.size {
		began := time.Now()
		if err := f.admin.Create(ctx, f.object(i)); err != nil {
			return err
		}
		for {
			seen, changed := r.observer.of(f.target(i))
			if len(seen) > 0 {
				beyond = append(beyond, milliseconds(seen[0].at.Sub(began)-latency))
				break
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	r.add(phase, "request to Secret beyond the endpoint's 50 ms, median", median(beyond), "ms")
	r.add(phase, "the same, 90 of 100", quantile(beyond, 0.9), "ms")
	return nil
}

// burst creates many objects at once while the operator runs.
func (r *runner) burst(ctx context.Context) error {
	const phase = "burst: objects created as fast as possible, operator running"
	f, err := r.newFleet(ctx, "burst", min(r.credentials, 1000))
	if err != nil {
		return err
	}
	_, err = r.applyAll(ctx, phase, f)
	return err
}

// applied does the same with an arbitrary number of objects and no others, to be compared with the bare loop.
func (r *runner) applied(ctx context.Context) error {
	const phase = "applied: objects created as fast as possible, operator running"
	f, err := r.newFleet(ctx, "applied", r.apply)
	if err != nil {
		return err
	}
	if err := r.launch(ctx, openGate...); err != nil {
		return err
	}
	if err := r.manager.Ready(ctx); err != nil {
		return err
	}
	profiled := make(chan error, 1)
	go func() { profiled <- r.takeProfiles(ctx, f) }()
	t, err := r.applyAll(ctx, phase, f)
	if err != nil {
		return err
	}
	if err := <-profiled; err != nil {
		return err
	}
	r.toCompare(phase, t.rate(f.size))
	passes, err := r.passes(ctx)
	if err != nil {
		return err
	}
	r.add(phase, "passes", passes/float64(f.size), "an object")
	r.add(phase, "processor time of manager", 1000*t.cpu["manager"]/float64(f.size), "ms an object")
	return nil
}

// applyAll creates the objects of a fleet and waits until all have their Secrets.
func (r *runner) applyAll(ctx context.Context, phase string, f *fleet) (tally, error) {
	created := make([]time.Time, f.size)
	t, err := r.during(ctx, func(ctx context.Context) error {
		if err := each(ctx, f.size, func(ctx context.Context, i int) error {
			created[i] = time.Now()
			return f.admin.Create(ctx, f.object(i))
		}); err != nil {
			return err
		}
		return r.observer.wait(ctx, f, f.size, 1)
	})
	if err != nil {
		return t, err
	}
	var took []float64
	var last time.Time
	for i := range f.size {
		seen, _ := r.observer.of(f.target(i))
		took = append(took, seen[0].at.Sub(created[i]).Seconds())
		if seen[0].at.After(last) {
			last = seen[0].at
		}
	}
	r.add(phase, "objects", float64(f.size), "")
	r.add(phase, "object to Secret, median", median(took), "s")
	r.add(phase, "object to Secret, 99 of 100", quantile(took, 0.99), "s")
	r.add(phase, "first object to last Secret", last.Sub(slices.MinFunc(created, time.Time.Compare)).Seconds(), "s")
	r.addCounts(phase, t, f.size)
	return t, r.addMemory(phase)
}

// during counts the effects of an action.
func (r *runner) during(ctx context.Context, deed func(context.Context) error) (tally, error) {
	from, err := r.mark(ctx)
	if err != nil {
		return tally{}, err
	}
	if err := deed(ctx); err != nil {
		return tally{}, err
	}
	return r.since(ctx, from, operatorAccount)
}

// addCounts adds the cost of n objects.
func (r *runner) addCounts(phase string, t tally, n int) {
	r.add(phase, "exchanges", float64(t.exchanges)/float64(n), "an object")
	r.add(phase, "requests", t.perObject(n), "an object")
	counts := t.requests.counts()
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		if counts[what]*100 >= n { // the rest are lists, watches and discovery
			r.add(phase, "  "+what, float64(counts[what])/float64(n), "an object")
		}
	}
}

func (r *runner) addMemory(phase string) error {
	most, err := peak(r.manager.PID())
	if err != nil {
		return err
	}
	now, err := resident(r.manager.PID())
	if err != nil {
		return err
	}
	r.add(phase, "memory of manager, most", most/(1<<20), "MiB")
	r.add(phase, "memory of manager, now", now/(1<<20), "MiB")
	return nil
}

func (t *tally) perObject(n int) float64 { return float64(len(t.requests)) / float64(n) }

// rate returns the objects per second, from the first GET of an object to the end of the last write.
func (t *tally) rate(n int) float64 {
	return float64(n) / t.requests.span().Seconds()
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
