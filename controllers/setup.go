// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/slimcache"
)

// ClockChanged reconciles every object, after the local clock was set or the machine slept: timers may be late.
func (r *CDPCredentialReconciler) ClockChanged(ctx context.Context) error {
	all := &v1alpha1.CDPCredentialList{}
	if err := r.Client.List(ctx, all); err != nil {
		return fmt.Errorf("list all objects: %w", err)
	}
	for i := range all.Items {
		r.Wake(ctx, client.ObjectKeyFromObject(&all.Items[i]))
	}
	return nil
}

// Wake reconciles an object again. It does nothing once ctx has ended.
func (r *CDPCredentialReconciler) Wake(ctx context.Context, name types.NamespacedName) {
	obj := &v1alpha1.CDPCredential{}
	obj.Namespace, obj.Name = name.Namespace, name.Name
	select {
	case r.wake <- event.GenericEvent{Object: obj}:
	case <-ctx.Done():
	}
}

// wokenPriority is above every other priority: the gate holds a reservation for a woken object.
const wokenPriority = 2 * int(credential.UrgentWithin/time.Second)

// wakeByGate connects the gate to the controller's queue. It is a source because the queue exists only once the controller starts.
func (r *CDPCredentialReconciler) wakeByGate(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	prioritized, _ := queue.(priorityqueue.PriorityQueue[reconcile.Request])
	wake := func(object string) {
		namespace, name, _ := strings.Cut(object, "/")
		request := reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}
		if prioritized == nil {
			queue.Add(request)
			return
		}
		priority := wokenPriority
		prioritized.AddWithOpts(priorityqueue.AddOpts{Priority: &priority}, request)
	}
	r.Gate.Notify(wake, func(d time.Duration, f func(time.Time)) {
		time.AfterFunc(d, func() { f(r.Clock.Now()) })
	})
	return nil
}

// apiRateLimiter backs off after errors of the API server. The default starts at 5 ms, too soon to help.
func apiRateLimiter() workqueue.TypedRateLimiter[reconcile.Request] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](retryFirst, retryMost)
}

// overwrittenAfter is the delay before an object is reconciled whose status another process has overwritten. Two processes that disagree correct each
// other no faster than this.
const overwrittenAfter = 3 * time.Second

// wakeByStatus gives objects whose tokens expire soon a higher priority: after a failover many may be due at once. The queue uses the higher of an
// object's priorities.
func wakeByStatus(now func() time.Time) handler.EventHandler {
	return handler.Funcs{UpdateFunc: func(_ context.Context, e event.UpdateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		if credential.StatusOverwritten(e.ObjectOld, e.ObjectNew) {
			q.AddAfter(reconcile.Request{NamespacedName: client.ObjectKeyFromObject(e.ObjectNew)}, overwrittenAfter)
		}
	}, CreateFunc: func(_ context.Context, e event.CreateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		obj, ok := e.Object.(*v1alpha1.CDPCredential)
		queue, prioritizes := q.(priorityqueue.PriorityQueue[reconcile.Request])
		if !ok || !prioritizes {
			return
		}
		if priority := credential.QueuePriority(obj.Status.TokenExpirationTime, now()); priority > 0 {
			queue.AddWithOpts(priorityqueue.AddOpts{Priority: &priority}, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(obj)})
		}
	}}
}

// wakeBySecrets reconciles the objects that refer to a Secret, except the one that has just written it.
func (r *CDPCredentialReconciler) wakeBySecrets() handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	owner := func(secret client.Object) string { return secret.GetAnnotations()[v1alpha1.CredentialAnnotation] }
	wake := func(q queue, requests []reconcile.Request, version string) {
		for _, request := range requests {
			if !r.OwnWrites.Recognise(request.NamespacedName, version) {
				q.Add(request)
			}
		}
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q queue) {
			wake(q, r.referencing(ctx, e.Object, owner(e.Object)), credential.VersionOf(e.Object))
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) {
			wake(q, r.referencing(ctx, e.ObjectNew, owner(e.ObjectNew), owner(e.ObjectOld)), credential.VersionOf(e.ObjectNew))
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) {
			wake(q, r.referencing(ctx, e.Object, owner(e.Object)), "")
		},
	}
}

// reconcileTimeout bounds one reconcile: two calls of 15 s each, and the API requests around them.
const reconcileTimeout = time.Minute

// SetupWithManager registers the reconciler and its watches. One index of both Secret names and one metadata watch cover a rotated client Secret, a
// deleted or edited target, and the removal of somebody else's Secret of that name.
func (r *CDPCredentialReconciler) SetupWithManager(ctx context.Context, mgr ctrl.Manager, concurrency int) error {
	if _, err := r.Rand.Read(r.salt[:]); err != nil {
		return fmt.Errorf("make the process's salt: %w", err)
	}
	if err := mgr.GetFieldIndexer().IndexField(ctx, &v1alpha1.CDPCredential{}, secretNameField, func(obj client.Object) []string { return slimcache.Buckets(credential.SecretNames(obj)) }); err != nil {
		return fmt.Errorf("index CDPCredentials: %w", err)
	}
	if err := mgr.GetFieldIndexer().IndexField(ctx, credential.SecretMetadata("", ""), ownedByField, func(obj client.Object) []string { return slimcache.Buckets(credential.ControllerUID(obj)) }); err != nil {
		return fmt.Errorf("index Secrets: %w", err)
	}
	r.wake = make(chan event.GenericEvent)
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.CDPCredential{}, builder.WithPredicates(specOrRefreshChanged())).
		Watches(&v1alpha1.CDPCredential{}, wakeByStatus(r.localNow)).
		WatchesMetadata(&corev1.Secret{}, r.wakeBySecrets(), builder.WithPredicates(skipInitialList())).
		WatchesRawSource(source.Channel(r.wake, &handler.EnqueueRequestForObject{})).
		WatchesRawSource(source.Func(r.wakeByGate)).
		WithOptions(controller.Options{MaxConcurrentReconciles: concurrency, RateLimiter: apiRateLimiter(), ReconciliationTimeout: reconcileTimeout}).
		Complete(r)
}

// skipInitialList drops Create events of the initial Secret list: every credential is reconciled at start anyway, once both lists are there.
func skipInitialList() predicate.Predicate {
	return predicate.Funcs{CreateFunc: func(e event.CreateEvent) bool { return !e.IsInInitialList }}
}

// specOrRefreshChanged passes changes of the spec and refresh requests. It drops our own status patches and other metadata changes.
func specOrRefreshChanged() predicate.Predicate {
	return predicate.Or(predicate.GenerationChangedPredicate{}, predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			const request = v1alpha1.RefreshRequestedAtAnnotation
			return e.ObjectOld.GetAnnotations()[request] != e.ObjectNew.GetAnnotations()[request] ||
				e.ObjectOld.GetUID() != e.ObjectNew.GetUID()
		},
	})
}

// referencing finds the objects that name a Secret, and the one that owns it by its annotation.
func (r *CDPCredentialReconciler) referencing(ctx context.Context, secret client.Object, owners ...string) []reconcile.Request {
	found := &v1alpha1.CDPCredentialList{}
	if err := r.Client.List(ctx, found, client.InNamespace(secret.GetNamespace()), client.MatchingFields{secretNameField: slimcache.Bucket(secret.GetName())}, client.UnsafeDisableDeepCopy); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Failed to find the objects of a Secret", "secret", client.ObjectKeyFromObject(secret))
		return nil
	}
	var requests []reconcile.Request
	for i := range found.Items {
		if slices.Contains(credential.SecretNames(&found.Items[i]), secret.GetName()) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&found.Items[i])})
		}
	}
	for _, owner := range owners {
		request := reconcile.Request{NamespacedName: types.NamespacedName{Namespace: secret.GetNamespace(), Name: owner}}
		if owner != "" && len(owner) <= 253 && !slices.Contains(requests, request) {
			requests = append(requests, request)
		}
	}
	return requests
}

// forget drops all memory of a deleted object.
func (r *CDPCredentialReconciler) forget(name types.NamespacedName) {
	r.memory.forget(name)
	r.OwnWrites.Forget(name)
	r.Gate.Forget(r.Clock.Now(), name.String())
	r.Metrics.Forget(name)
	if r.Pods != nil {
		r.Pods.Result(name) // drops the result, which nobody will ask for
	}
}
