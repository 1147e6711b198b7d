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

// CDPCredentialReconciler makes the target Secret of a CDPCredential hold a valid token. It observes, plans, acts and reports; sub-reconcilers handle
// the token, its verification, rolling restarts, stale targets and status. All fields except LocalClock, OwnWrites, Pods and Watchdog are required.
type CDPCredentialReconciler struct {
	Cluster
	Endpoints
	credential.Policy
	Sources
	Metrics *telemetry.Metrics
	// OwnWrites filters out the events of the operator's own writes. Nil: each write causes one more reconcile.
	OwnWrites *credential.OwnWrites
	// Pods makes kubelets remount new tokens at once. Nil: spec.target.refreshPods is not enabled.
	Pods PodRefresher
	// Watchdog tracks the start and end of every reconcile. Nil: nothing does.
	Watchdog *telemetry.Watchdog

	internals
}

// internals is state that the reconciler creates itself.
type internals struct {
	memory  objectCaches
	endings credential.TerminatingNamespaces
	wake    chan event.GenericEvent
	// salt keys the fingerprints that never leave this process.
	salt [16]byte

	made  sync.Once
	parts subReconcilers
}

// subReconcilers each have their own dependencies and their own part of the object cache.
type subReconcilers struct {
	reader       *reader
	token        *tokenReconciler
	verifier     *verifier
	restarter    *restarter
	staleTargets *staleTargets
	status       *statusWriter
}

// sub returns the sub-reconcilers. They are created on first use.
func (r *CDPCredentialReconciler) sub() *subReconcilers {
	r.made.Do(func() {
		reads := &reader{Cluster: &r.Cluster, Policy: &r.Policy, Sources: &r.Sources, endings: &r.endings, salt: r.salt[:]}
		r.parts = subReconcilers{
			reader:       reads,
			token:        &tokenReconciler{targetWriter: &targetWriter{reader: reads, ownWrites: r.OwnWrites}, Endpoints: &r.Endpoints, metrics: r.Metrics},
			verifier:     &verifier{reader: reads, Endpoints: &r.Endpoints},
			restarter:    &restarter{Cluster: &r.Cluster, Policy: &r.Policy, Sources: &r.Sources, metrics: r.Metrics},
			staleTargets: &staleTargets{reads},
			status:       &statusWriter{reader: reads, metrics: r.Metrics},
		}
	})
	return &r.parts
}

// +kubebuilder:rbac:groups=cdpcredentials.io,resources=cdpcredentials,verbs=get;list;watch
// +kubebuilder:rbac:groups=cdpcredentials.io,resources=cdpcredentials/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create

// maxConflicts is how many times one Reconcile may start over because another writer changed the target at the same moment. An issued token is kept.
const maxConflicts = 3

// Reconcile implements reconcile.Reconciler.
func (r *CDPCredentialReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	if err := ctx.Err(); err != nil {
		return ctrl.Result{}, err // shutting down: the next leader starts with this object
	}
	ctx, end := withShutdownGrace(ctx, shutdownGrace)
	defer end()
	r.Watchdog.Began(req.NamespacedName)
	result, err := r.reconcile(ctx, req, false)
	for try := 1; try < maxConflicts && errors.Is(err, credential.ErrConflict); try++ {
		result, err = r.reconcile(ctx, req, true)
	}
	r.Watchdog.Finished(req.NamespacedName, result.RequeueAfter)
	return result, err
}

// reconcile observes, plans, acts and reports. After a conflict, it does not trust the cache for the target.
func (r *CDPCredentialReconciler) reconcile(ctx context.Context, req ctrl.Request, conflict bool) (ctrl.Result, error) {
	sub := r.sub()
	obj, cache, again, err := r.current(ctx, req.NamespacedName)
	if err != nil && obj != nil {
		return sub.status.interrupted(ctx, sub.reader.cachedState(ctx, obj, cache), cache, err)
	}
	if obj == nil || err != nil {
		return ctrl.Result{RequeueAfter: again}, err
	}
	seen := &sight{distrusted: conflict}
	defer func() { seen.leave(r.Clock.Now()) }()
	s, plan, err := r.decide(ctx, obj, cache, seen)
	if ending, ok := errors.AsType[*endingError](err); ok {
		return ctrl.Result{RequeueAfter: ending.again}, nil
	}
	if err != nil {
		return sub.status.interrupted(ctx, sub.reader.cachedState(ctx, obj, cache), cache, err)
	}
	if s == nil {
		return ctrl.Result{RequeueAfter: credential.MaxLag}, nil
	}
	return r.carryOut(ctx, s, cache, plan, seen)
}

// carryOut acts and reports.
func (r *CDPCredentialReconciler) carryOut(ctx context.Context, s *credential.State, cache *credential.ObjectCache, plan credential.Plan, seen *sight) (ctrl.Result, error) {
	sub := r.sub()
	if credential.MustReportLoss(s, plan) {
		var gone bool
		var err error
		if s, gone, err = sub.status.tellLoss(ctx, s, cache); err != nil {
			return ctrl.Result{}, err
		} else if gone {
			return ctrl.Result{RequeueAfter: credential.MaxLag}, nil // the cache will show the deletion
		}
	}
	after, result, err := sub.token.act(ctx, s, cache, plan, seen.place)
	if errors.Is(err, credential.ErrConflict) {
		return ctrl.Result{}, err
	}
	cache.Target.Repairs.Lost = credential.NewUnansweredRepair(plan, err)
	if err != nil {
		return sub.status.interrupted(ctx, s, cache, err)
	}
	r.tellPods(s, after, cache, result)
	return r.report(ctx, after, cache, plan, result, seen)
}

// decide observes and plans, starting from the cache; while the plan needs something more, it observes that and plans again. Plans that request a
// token or report a blocker are first confirmed by reads from the API server: the cache of a new process may be older than the last writes of the
// previous one, and its Secrets may lag further behind than its objects. Two reads cost less than a needless token, and a blocker reported by mistake
// would overwrite a backoff. A nil State means that the object is gone.
func (r *CDPCredentialReconciler) decide(ctx context.Context, obj *v1alpha1.CDPCredential, cache *credential.ObjectCache, seen *sight) (*credential.State, credential.Plan, error) {
	reader := r.sub().reader
	for {
		s, err := reader.observe(ctx, obj, cache, seen)
		if err != nil {
			return nil, credential.Plan{}, err
		}
		plan := credential.Decide(s)
		if credential.HasLostSecret(s, plan) {
			err = reader.notEnding(ctx, obj)
		}
		switch {
		case err != nil:
		case !seen.confirmed && cache.MustConfirm(s, plan):
			if obj, err = reader.confirm(ctx, obj, cache, seen); obj == nil {
				return nil, credential.Plan{}, err
			}
			cache.Target.Confirmed = cache.Target.Confirmed || plan.Exchanges(s)
		case plan.Needs == credential.NeedNothing:
			return s, plan, nil
		default:
			err = r.observeNeed(ctx, s, cache, plan, seen)
		}
		if err != nil {
			return nil, credential.Plan{}, err
		}
	}
}

// observeNeed observes what a plan still needs.
func (r *CDPCredentialReconciler) observeNeed(ctx context.Context, s *credential.State, cache *credential.ObjectCache, plan credential.Plan, seen *sight) error {
	switch plan.Needs {
	case credential.NeedTurn:
		return r.sub().token.takeTurn(ctx, s, cache, plan, seen)
	case credential.NeedToken:
		_, err := r.sub().reader.lookInto(ctx, s.Object, cache, seen, s.Current.Name)
		return err
	}
	return r.sub().reader.readClient(ctx, s.Object, seen)
}

// report verifies the token, restarts workloads, writes status from the new state, and deletes stale targets.
func (r *CDPCredentialReconciler) report(ctx context.Context, s *credential.State, cache *credential.ObjectCache, plan credential.Plan, result credential.Result, seen *sight) (ctrl.Result, error) {
	sub := r.sub()
	cache.Acted(s, plan, result)
	sub.status.recordIssued(s, result)
	tried, verifyAt := sub.verifier.verify(ctx, s, cache, result.Wrote, seen)
	status := credential.NewStatus(s, plan, result, tried)
	var rolloutAt time.Time
	status.RolloutRestart, rolloutAt = sub.restarter.rollOut(ctx, s, cache)
	cache.Stale.Cleanup.Remember(s)
	local := r.clocks().LocalStatus(s, status)
	if _, err := sub.status.patchStatus(ctx, s.Object, s.SavedStatus, cache, local); err != nil {
		return ctrl.Result{}, err // nothing is lost: the next reconcile reports from the target Secret
	}
	sub.status.recordEvents(s, &s.SavedStatus, &local)
	tidyAt := sub.staleTargets.deleteStaleTargets(ctx, s, cache, result) // after status, so that a refused delete cannot hide what happened
	after := credential.RequeueAfter(s, plan, result, credential.Earliest(verifyAt, rolloutAt, tidyAt), &status)
	return ctrl.Result{RequeueAfter: r.untilThen(s, after), Priority: new(credential.QueuePriority(status.TokenExpirationTime, s.Now.Add(after)))}, nil
}

// untilThen subtracts from a wait the time that this reconcile itself took.
func (r *CDPCredentialReconciler) untilThen(s *credential.State, after time.Duration) time.Duration {
	if after == 0 {
		return 0
	}
	return max(after-max(r.Clock.Since(s.Now), 0), credential.Immediately)
}

// current returns the object and this process's memory of it. A nil object means that there is nothing to do until the returned time has passed. With
// an error, the object is the cached one.
func (r *CDPCredentialReconciler) current(ctx context.Context, name types.NamespacedName) (*v1alpha1.CDPCredential, *credential.ObjectCache, time.Duration, error) {
	obj := &v1alpha1.CDPCredential{}
	if err := r.Client.Get(ctx, name, obj); apierrors.IsNotFound(err) {
		if err := r.sub().staleTargets.withdraw(ctx, name, r.memory.known(name)); err != nil {
			return nil, nil, 0, err
		}
		r.forget(name)
		return nil, nil, 0, nil
	} else if err != nil {
		return nil, nil, 0, fmt.Errorf("read the object: %w", err)
	}
	if credential.Leaving(obj) {
		return nil, nil, 0, nil // the owner reference has the target Secret garbage-collected
	}
	cache := r.memory.of(name, obj.UID)
	r.recallPods(name, cache)
	live, err := r.sub().reader.catchUp(ctx, obj, cache)
	if err != nil {
		return obj, cache, 0, err
	}
	return live, cache, credential.CacheLag, nil
}

// shutdownGrace is how long a running reconcile may outlast the shutdown signal: a requested token is lost unless it is written. It is short because
// the next leader waits.
const shutdownGrace = 2 * time.Second

// withShutdownGrace returns a context that ends grace after parent is cancelled, but at once when parent's deadline passes. Call end when done.
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

// objectCaches is this process's memory between reconciles. It saves requests and reveals a lagging cache. Nothing depends on it: after a restart it
// is empty.
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

// known returns the memory of an object. Nil: there is none.
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
