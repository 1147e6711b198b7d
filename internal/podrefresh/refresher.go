// SPDX-License-Identifier: Apache-2.0

package podrefresh

import (
	"context"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
)

const (
	// maxBatches is how many namespaces are refreshed at the same time, and maxRequests how many requests are under way for all of them.
	maxBatches  = 4
	maxRequests = 8
	// shutdownGrace is how much longer than its process a refresh may live. It is short, as the next leader waits for it.
	shutdownGrace = 2 * time.Second
)

// A Result is what became of a write's refresh.
type Result struct {
	// Mounting is how many running pods mount the Secret, Refreshed how many of them were told.
	Mounting, Refreshed int32
	// Refusal is why not all were told.
	Refusal Refusal
}

// A Refusal is why pods could not be told.
type Refusal int

// Forbidden needs somebody who grants the rights or changes an admission policy; Failed is any other error.
const (
	NotRefused Refusal = iota
	Failed
	Forbidden
)

// A Refresher tells pods of writes. Make it with New, and add it to the manager.
type Refresher struct {
	api    API
	clock  clock.Clock
	jitter func() float64
	// report is told what became of each write, and observe how long after the write each pod was told.
	report  func(Write, Result)
	observe func(time.Duration)

	requests chan struct{}
	changed  chan struct{}

	mu      sync.Mutex
	queue   queue
	batches int
}

// Options are what a Refresher needs. All are required.
type Options struct {
	API   API
	Clock clock.Clock
	// Jitter gives numbers in [0, 1).
	Jitter func() float64
	// Report is told what became of a write, unless a later one of the same Secret replaced it or the process ends. Observe is told how long after
	// the write a pod was told of it. Both may be called from several goroutines.
	Report  func(Write, Result)
	Observe func(time.Duration)
}

// New makes a Refresher.
func New(o Options) *Refresher {
	return &Refresher{
		api: o.API, clock: o.Clock, jitter: o.Jitter, report: o.Report, observe: o.Observe,
		requests: make(chan struct{}, maxRequests), changed: make(chan struct{}, 1),
	}
}

// Enqueue has pods told of a write that was acknowledged just now. It does not wait.
func (r *Refresher) Enqueue(w Write) {
	now := r.clock.Now()
	r.mu.Lock()
	ok := r.queue.add(queued{Write: w, written: now, due: dueAt(w, now, r.jitter())})
	r.mu.Unlock()
	if !ok {
		r.report(w, Result{Refusal: Failed})
		return
	}
	r.notify()
}

func (r *Refresher) notify() {
	select {
	case r.changed <- struct{}{}:
	default: // it is told already
	}
}

// Start implements manager.Runnable. When ctx ends, pods are told at once of what is left, if that does not take long.
func (r *Refresher) Start(ctx context.Context) error {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var batches sync.WaitGroup
	for ctx.Err() == nil {
		due, ok := r.startDue(work, &batches, r.clock.Now())
		r.wait(ctx, due, ok)
	}
	defer time.AfterFunc(shutdownGrace, cancel).Stop()
	for {
		r.startDue(work, &batches, r.clock.Now().Add(time.Hour)) // all are due
		batches.Wait()
		if r.empty() || work.Err() != nil {
			return nil
		}
	}
}

// wait waits until something is due, the queue has changed, or ctx has ended.
func (r *Refresher) wait(ctx context.Context, due time.Time, ok bool) {
	var timeout <-chan time.Time
	if ok {
		timer := r.clock.NewTimer(due.Sub(r.clock.Now()))
		defer timer.Stop()
		timeout = timer.C()
	}
	select {
	case <-ctx.Done():
	case <-r.changed:
	case <-timeout:
	}
}

func (r *Refresher) empty() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.queue.size == 0
}

// startDue starts the batches that are due, as far as there is room for them, and returns when the next one is. False: none is, or there is no room.
func (r *Refresher) startDue(ctx context.Context, batches *sync.WaitGroup, now time.Time) (time.Time, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.batches < maxBatches {
		namespace, due, ok := r.queue.next()
		if !ok || now.Before(due) {
			return due, ok
		}
		batch := r.queue.take(namespace, now)
		r.batches++
		batches.Go(func() {
			defer r.ended(namespace)
			r.refresh(ctx, namespace, batch)
		})
	}
	return time.Time{}, false
}

func (r *Refresher) ended(namespace string) {
	r.mu.Lock()
	r.queue.done(namespace)
	r.batches--
	r.mu.Unlock()
	r.notify()
}

// refresh tells the pods of a namespace of a batch of writes.
func (r *Refresher) refresh(ctx context.Context, namespace string, batch []queued) {
	b := newBatch(batch)
	refreshes, err := r.list(ctx, namespace, b.versions())
	if err != nil {
		b.failed(err)
	}
	var patches sync.WaitGroup
	for _, pod := range refreshes {
		if r.acquire(ctx) != nil {
			break
		}
		patches.Go(func() {
			defer r.release()
			b.told(pod, r.tell(ctx, pod), r.clock.Now(), r.observe)
		})
	}
	patches.Wait()
	if ctx.Err() != nil {
		return // whoever leads next does it again
	}
	if b.failures > 0 {
		// No text of an admission webhook: it may quote a pod's environment.
		ctrl.LoggerFrom(ctx).WithName("pod-refresh").Info("Failed to refresh pods that mount a Secret",
			"namespace", namespace, "failures", b.failures, "reason", apierrors.ReasonForError(b.failure))
	}
	for _, w := range batch {
		r.report(w.Write, b.result(w.Secret))
	}
}

// list returns what the pods of a namespace need. The pods themselves are dropped page by page.
func (r *Refresher) list(ctx context.Context, namespace string, versions map[string]string) ([]refresh, error) {
	var refreshes []refresh
	err := r.retried(ctx, func() error {
		refreshes = nil
		if err := r.acquire(ctx); err != nil {
			return err
		}
		defer r.release()
		for pod, err := range pods(ctx, r.api, namespace) {
			if err != nil {
				return err
			}
			if needed, ok := refreshOf(pod, versions); ok {
				refreshes = append(refreshes, needed)
			}
		}
		return nil
	})
	return refreshes, err
}

// tell changes the annotation of a pod that does not have it yet.
func (r *Refresher) tell(ctx context.Context, pod refresh) error {
	if pod.value == "" {
		return nil
	}
	return r.retried(ctx, func() error { return r.api.Annotate(ctx, pod.namespace, pod.name, pod.uid, pod.value) })
}

// acquire waits for its turn to send a request.
func (r *Refresher) acquire(ctx context.Context) error {
	select {
	case r.requests <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *Refresher) release() { <-r.requests }

// retried tries something that may work a second later, at most three times.
func (r *Refresher) retried(ctx context.Context, try func() error) error {
	pause := time.Second
	for attempt := 1; ; attempt++ {
		err := try()
		if err == nil || attempt == 3 || ctx.Err() != nil || !mayWorkLater(err) {
			return err
		}
		timer := r.clock.NewTimer(pause)
		select {
		case <-timer.C():
		case <-ctx.Done():
			timer.Stop()
			return err
		}
		pause *= 2
	}
}
