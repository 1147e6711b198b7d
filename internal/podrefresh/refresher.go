// SPDX-License-Identifier: Apache-2.0

package podrefresh

import (
	"context"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
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
	// Reason is why not all were told, of status.pods. Empty: all were.
	Reason string
}

// A Refresher tells pods of writes. Make it with New, and add it to the manager.
type Refresher struct {
	api    API
	clock  clock.Clock
	jitter func() float64
	// wake is called when there is a result for an object, and observe is told how long after the write each pod was told.
	wake    func(context.Context, types.NamespacedName)
	observe func(time.Duration)

	requests chan struct{}
	changed  chan struct{}

	mu      sync.Mutex
	queue   queue
	batches int
	results map[types.NamespacedName]Result
}

// Options are what a Refresher needs. All are required.
type Options struct {
	API   API
	Clock clock.Clock
	// Jitter gives numbers in [0, 1).
	Jitter func() float64
	// Wake has an object look for its result. Observe is told how long after a write a pod was told of it. Both may be called from several goroutines.
	Wake    func(ctx context.Context, object types.NamespacedName)
	Observe func(time.Duration)
}

// New makes a Refresher.
func New(o Options) *Refresher {
	return &Refresher{
		api: o.API, clock: o.Clock, jitter: o.Jitter, wake: o.Wake, observe: o.Observe,
		requests: make(chan struct{}, maxRequests), changed: make(chan struct{}, 1), results: map[types.NamespacedName]Result{},
	}
}

// Enqueue has pods told of a write that was acknowledged just now. It does not wait.
func (r *Refresher) Enqueue(w Write) {
	now := r.clock.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.queue.add(queued{Write: w, written: now, due: dueAt(w, now, r.jitter())}) {
		r.results[w.Object] = Result{Reason: v1alpha1.EventPodRefreshFailed} // for the next reconcile
		return
	}
	r.notify()
}

// Result returns what became of an object's last write, once. False: nothing new is known. There is none for a write that a later one of the same
// Secret replaced.
func (r *Refresher) Result(object types.NamespacedName) (Result, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	result, ok := r.results[object]
	delete(r.results, object)
	return result, ok
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
	start := func(namespace string, batch []queued) {
		batches.Go(func() {
			defer r.ended(namespace)
			for _, object := range r.refresh(work, namespace, batch) {
				r.wake(ctx, object)
			}
		})
	}
	for ctx.Err() == nil {
		due, ok := r.startDue(start, r.clock.Now())
		r.wait(ctx, due, ok)
	}
	defer time.AfterFunc(shutdownGrace, cancel).Stop()
	for {
		r.startDue(start, r.clock.Now().Add(time.Hour)) // all are due
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
func (r *Refresher) startDue(start func(namespace string, batch []queued), now time.Time) (time.Time, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.batches < maxBatches {
		namespace, due, ok := r.queue.next()
		if !ok || now.Before(due) {
			return due, ok
		}
		r.batches++
		start(namespace, r.queue.take(namespace, now))
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

// refresh tells the pods of a namespace of a batch of writes, and returns the objects that have a result.
func (r *Refresher) refresh(ctx context.Context, namespace string, batch []queued) []types.NamespacedName {
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
		return nil // whoever leads next does it again
	}
	if b.failures > 0 {
		// No text of an admission webhook: it may quote a pod's environment.
		ctrl.LoggerFrom(ctx).WithName("pod-refresh").Info("Failed to refresh pods that mount a Secret",
			"namespace", namespace, "failures", b.failures, "reason", apierrors.ReasonForError(b.failure))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var objects []types.NamespacedName
	for _, w := range batch {
		r.results[w.Object] = b.counts[w.Secret]
		objects = append(objects, w.Object)
	}
	return objects
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
