// SPDX-License-Identifier: Apache-2.0

// Package controllers makes the target Secret of each CDPCredential hold a valid token: it observes, plans, acts and reports.
package controllers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/telemetry"
)

// CDPCredentialReconciler makes the target Secret of a CDPCredential hold a valid token. All fields but LocalClock, OwnWrites and Watchdog are
// required. It reads what there is, and leaves the work to sub-reconcilers, each with its own dependencies and memory: the token, its verification,
// rolling restarts, stale targets and status.
type CDPCredentialReconciler struct {
	Cluster
	Endpoints
	credential.Policy
	Sources
	Metrics *telemetry.Metrics
	// OwnWrites spares objects a reconcile after each write of a target. Nil: nothing does.
	OwnWrites *credential.OwnWrites
	// Watchdog is told of every reconcile. Nil: nobody is.
	Watchdog *telemetry.Watchdog

	memory  objectCaches
	endings credential.NamespaceEndings
	wake    chan event.GenericEvent
	// salt keys the fingerprints that never leave this process.
	salt [16]byte
}

func (r *CDPCredentialReconciler) reader() *reader {
	return &reader{Cluster: &r.Cluster, Policy: &r.Policy, Sources: &r.Sources, endings: &r.endings, salt: r.salt[:]}
}

func (r *CDPCredentialReconciler) token() *tokenReconciler {
	return &tokenReconciler{targetWriter: &targetWriter{reader: r.reader(), ownWrites: r.OwnWrites}, Endpoints: &r.Endpoints, metrics: r.Metrics}
}

func (r *CDPCredentialReconciler) verifier() *verifier {
	return &verifier{reader: r.reader(), Endpoints: &r.Endpoints}
}

func (r *CDPCredentialReconciler) restarter() *restarter {
	return &restarter{Cluster: &r.Cluster, Sources: &r.Sources, metrics: r.Metrics, enabled: r.RolloutRestart}
}

func (r *CDPCredentialReconciler) staleTargets() *staleTargets { return &staleTargets{r.reader()} }

func (r *CDPCredentialReconciler) status() *statusWriter {
	return &statusWriter{reader: r.reader(), metrics: r.Metrics}
}

// +kubebuilder:rbac:groups=cdpcredentials.io,resources=cdpcredentials,verbs=get;list;watch
// +kubebuilder:rbac:groups=cdpcredentials.io,resources=cdpcredentials/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create

// Reconcile makes one pass over one object, under the eyes of the watchdog.
func (r *CDPCredentialReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	if err := ctx.Err(); err != nil {
		return ctrl.Result{}, err // this process is to end: the next one begins with it
	}
	ctx, end := withShutdownGrace(ctx, shutdownGrace)
	defer end()
	r.Watchdog.Began(req.NamespacedName)
	result, err := r.pass(ctx, req)
	r.Watchdog.Finished(req.NamespacedName, result.RequeueAfter)
	return result, err
}

// pass observes, plans, acts and reports.
func (r *CDPCredentialReconciler) pass(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	obj, cache, again, err := r.current(ctx, req.NamespacedName)
	if err != nil && obj != nil {
		return r.status().interrupted(ctx, r.reader().blindView(ctx, obj, cache), cache, err)
	}
	if obj == nil || err != nil {
		return ctrl.Result{RequeueAfter: again}, err
	}
	s, plan, err := r.reader().decide(ctx, obj, cache)
	if ending, ok := errors.AsType[*endingError](err); ok {
		return ctrl.Result{RequeueAfter: ending.again}, nil
	}
	if err != nil {
		return r.status().interrupted(ctx, r.reader().blindView(ctx, obj, cache), cache, err)
	}
	if s == nil {
		return ctrl.Result{RequeueAfter: credential.MaxLag}, nil
	}
	if plan.Action == credential.ActionIssue && credential.ReadyIsStale(s) {
		return r.reportLoss(ctx, s, cache)
	}
	result, err := r.token().act(ctx, s, cache, plan)
	cache.Target.Repairs.Lost = credential.NewUnansweredRepair(plan, err)
	if err != nil {
		return r.status().interrupted(ctx, s, cache, err)
	}
	if !result.Waiting { // who waits for his turn has not asked the API server for anything
		cache.APIFailure = credential.APIFailure{}
	}
	cache.Stale.SharedTarget = credential.SharedTarget(s)
	if result.Wrote && plan.Repair > 0 {
		cache.Target.Repairs.Quick = cache.Target.Repairs.Quick.Plus(plan.Repair, s.Now)
	}
	r.status().recordIssued(s, result)
	tried, verifyAt := r.verifier().verify(ctx, s, cache, result)
	status := credential.NewStatus(s, plan, result, tried)
	var rolloutAt time.Time
	status.RolloutRestart, rolloutAt = r.restarter().rollOut(ctx, s, cache)
	cache.Stale.Cleanup.Remember(s)
	local := r.clocks().LocalStatus(s, status)
	if _, err := r.status().patchStatus(ctx, s.Object, s.SavedStatus, cache, local); err != nil {
		return ctrl.Result{}, err // the target Secret has it all: the next pass reports it
	}
	r.status().recordEvents(s, &s.SavedStatus, &local)
	tidyAt := r.staleTargets().deleteStaleTargets(ctx, s, cache, result) // after status: no refusal may hide what has happened
	after := credential.RequeueAfter(s, plan, result, credential.Sooner(verifyAt, rolloutAt, tidyAt), &status)
	return ctrl.Result{RequeueAfter: r.untilThen(s, after), Priority: new(credential.QueuePriority(status.TokenExpirationTime, s.Now.Add(after)))}, nil
}

// untilThen is what is left of a wait at the end of the pass: its writes may have taken a while, by which it is not to be late.
func (r *CDPCredentialReconciler) untilThen(s *credential.State, after time.Duration) time.Duration {
	if after == 0 {
		return 0
	}
	return max(after-max(r.Clock.Since(s.Now), 0), time.Millisecond)
}

// current gives the object as it is, and what this process remembers of it. Nil: there is nothing to do, or nothing yet, and the pass is to be
// made again after that time. With an error it is what the cache has.
func (r *CDPCredentialReconciler) current(ctx context.Context, name types.NamespacedName) (*v1alpha1.CDPCredential, *credential.ObjectCache, time.Duration, error) {
	obj := &v1alpha1.CDPCredential{}
	if err := r.Client.Get(ctx, name, obj); apierrors.IsNotFound(err) {
		if err := r.staleTargets().withdraw(ctx, name, r.memory.known(name)); err != nil {
			return nil, nil, 0, err
		}
		r.forget(name)
		return nil, nil, 0, nil
	} else if err != nil {
		return nil, nil, 0, fmt.Errorf("read the object: %w", err)
	}
	if credential.Leaving(obj) {
		return nil, nil, 0, nil // the target Secret is garbage-collected by its owner reference
	}
	cache := r.memory.of(name, obj.UID)
	live, err := r.reader().catchUp(ctx, obj, cache)
	if err != nil {
		return obj, cache, 0, err
	}
	return live, cache, credential.CacheLag, nil
}

// reportLoss tells consumers that the target holds no token before the endpoint is asked for one, which may take a while.
func (r *CDPCredentialReconciler) reportLoss(ctx context.Context, s *credential.State, cache *credential.ObjectCache) (ctrl.Result, error) {
	status := *s.Object.Status.DeepCopy()
	credential.SetReady(s, &status)
	status.NextRefreshTime = nil // it is now
	gone, err := r.status().patchStatus(ctx, s.Object, s.SavedStatus, cache, r.clocks().LocalStatus(s, status))
	switch {
	case err != nil:
		return ctrl.Result{}, err
	case gone:
		return ctrl.Result{RequeueAfter: credential.MaxLag}, nil // the cache will show it
	}
	return ctrl.Result{RequeueAfter: time.Millisecond}, nil
}

// shutdownGrace is how much longer than its process a pass may live that has begun: a token that was asked for is lost unless it is
// written. It is short, as the next leader waits for it.
const shutdownGrace = 2 * time.Second

// withShutdownGrace gives a context that ends grace later than parent if that is cancelled, and with it if its time is over. Call end when done.
func withShutdownGrace(parent context.Context, grace time.Duration) (ctx context.Context, end func()) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(parent))
	stop := context.AfterFunc(parent, func() {
		cause := context.Cause(parent)
		if errors.Is(parent.Err(), context.DeadlineExceeded) {
			cancel(cause)
			return
		}
		timer := time.AfterFunc(grace, func() { cancel(cause) })
		context.AfterFunc(ctx, func() { timer.Stop() })
	})
	return ctx, func() { stop(); cancel(context.Canceled) }
}

// objectCaches is what one process remembers between passes, to ask less and to know a lagging cache when it sees one. Nothing is wrong without
// it: a restart begins with none.
type objectCaches struct {
	mu      sync.Mutex
	objects map[types.NamespacedName]*credential.ObjectCache
}

func (m *objectCaches) of(name types.NamespacedName, uid types.UID) *credential.ObjectCache {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.objects == nil {
		m.objects = map[types.NamespacedName]*credential.ObjectCache{}
	}
	cache := m.objects[name]
	if cache == nil || cache.UID != uid {
		cache = &credential.ObjectCache{UID: uid}
		m.objects[name] = cache
	}
	return cache
}

// known is what is remembered of an object. Nil: nothing.
func (m *objectCaches) known(name types.NamespacedName) *credential.ObjectCache {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.objects[name]
}

func (m *objectCaches) forget(name types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, name)
}
