package controllers

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/slimcache"
)

// Fields of the cache's indexes.
const (
	// secretNameField finds CDPCredentials by the Secrets that they name, client and target alike. What is found is of the same bucket.
	secretNameField = "secretName"
	// ownedByField finds Secrets by the UID of the CDPCredential that controls them. What is found is of the same bucket.
	ownedByField = "ownedBy"
)

// passTimeout bounds one pass: two calls of 15 s and what goes with them.
const passTimeout = time.Minute

// SetupWithManager registers the reconciler and what wakes it. One index of both Secret names and one metadata watch see it all: client
// Secret rotated, target deleted or edited, foreign target out of the way.
func (r *CDPCredentialReconciler) SetupWithManager(ctx context.Context, mgr ctrl.Manager, concurrency int) error {
	if _, err := r.Rand.Read(r.salt[:]); err != nil {
		return fmt.Errorf("make the process's salt: %w", err)
	}
	if err := mgr.GetFieldIndexer().IndexField(ctx, &v1alpha1.CDPCredential{}, secretNameField, func(obj client.Object) []string { return slimcache.Buckets(secretNames(obj)) }); err != nil {
		return fmt.Errorf("index CDPCredentials: %w", err)
	}
	if err := mgr.GetFieldIndexer().IndexField(ctx, secretMetadata("", ""), ownedByField, func(obj client.Object) []string { return slimcache.Buckets(controllerUID(obj)) }); err != nil {
		return fmt.Errorf("index Secrets: %w", err)
	}
	r.wake = make(chan event.GenericEvent)
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.CDPCredential{}, builder.WithPredicates(specOrRefreshChanged())).
		Watches(&v1alpha1.CDPCredential{}, urgentFirst(r.localNow)).
		WatchesMetadata(&corev1.Secret{}, r.wakeBySecrets(), builder.WithPredicates(skipInitialList())).
		WatchesRawSource(source.Channel(r.wake, &handler.EnqueueRequestForObject{})).
		WatchesRawSource(source.Func(r.wakeByGate)).
		WithOptions(controller.Options{MaxConcurrentReconciles: concurrency, RateLimiter: apiRateLimiter(), ReconciliationTimeout: passTimeout}).
		Complete(r)
}

// skipInitialList lets through what has happened since the process began. What there is then is looked at for each object, none of which is passed over
// before both lists are there: tens of thousands of Secrets need not be told of one by one.
func skipInitialList() predicate.Predicate {
	return predicate.Funcs{CreateFunc: func(e event.CreateEvent) bool { return !e.IsInInitialList }}
}

// specOrRefreshChanged lets through what may give something to do: not our own status patches, nor other metadata.
func specOrRefreshChanged() predicate.Predicate {
	return predicate.Or(predicate.GenerationChangedPredicate{}, predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			const request = v1alpha1.RefreshRequestedAtAnnotation
			return e.ObjectOld.GetAnnotations()[request] != e.ObjectNew.GetAnnotations()[request] ||
				e.ObjectOld.GetUID() != e.ObjectNew.GetUID() || StatusOverwritten(e.ObjectOld, e.ObjectNew)
		},
	})
}

// StatusOverwritten says that status tells of less than it did, or gives another reason: somebody took it away, or a leader that was stopped for a while and
// is none any more has written what it had found before. Nothing else would have it written again. A new reason of our own costs a pass that
// finds nothing to do.
func StatusOverwritten(before, after client.Object) bool {
	was, ok := before.(*v1alpha1.CDPCredential)
	is, also := after.(*v1alpha1.CDPCredential)
	if !ok || !also {
		return false
	}
	const ready = v1alpha1.ConditionReady
	return is.Status.ObservedGeneration < was.Status.ObservedGeneration ||
		is.Status.LastRefreshTime.Before(was.Status.LastRefreshTime) && !newerTarget(was, is) ||
		meta.IsStatusConditionTrue(was.Status.Conditions, ready) && !meta.IsStatusConditionTrue(is.Status.Conditions, ready) ||
		reasonChanged(was, is, v1alpha1.ConditionRefreshed) || reasonChanged(was, is, v1alpha1.ConditionVerified)
}

// newerTarget reports whether status tells of a later write of the target. Its time of the last token is then only on another clock, which may be behind.
func newerTarget(was, is *v1alpha1.CDPCredential) bool {
	_, before := credential.SplitVersion(was.Status.TargetVersion)
	_, after := credential.SplitVersion(is.Status.TargetVersion)
	return credential.Older(before, after)
}

// reasonChanged says whether a condition that there was has got another reason.
func reasonChanged(was, is *v1alpha1.CDPCredential, kind string) bool {
	before, after := meta.FindStatusCondition(was.Status.Conditions, kind), meta.FindStatusCondition(is.Status.Conditions, kind)
	return before != nil && after != nil && before.Reason != after.Reason
}

func secretNames(obj client.Object) []string {
	spec := &obj.(*v1alpha1.CDPCredential).Spec
	names := []string{spec.ClientSecretRef.Name, spec.Target.Name}
	if old := obj.(*v1alpha1.CDPCredential).Status.TargetName; old != "" && old != spec.Target.Name {
		names = append(names, old)
	}
	return names
}

func controllerUID(obj client.Object) []string {
	if ref := metav1.GetControllerOf(obj); ref != nil && ref.Kind == "CDPCredential" {
		return []string{string(ref.UID)}
	}
	return nil
}

// referencing finds the objects that a Secret matters to: those that name it, and those that its annotations say own it.
func (r *CDPCredentialReconciler) referencing(ctx context.Context, secret client.Object, owners ...string) []reconcile.Request {
	found := &v1alpha1.CDPCredentialList{}
	if err := r.Client.List(ctx, found, client.InNamespace(secret.GetNamespace()), client.MatchingFields{secretNameField: slimcache.Bucket(secret.GetName())}, client.UnsafeDisableDeepCopy); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Failed to find the objects of a Secret", "secret", client.ObjectKeyFromObject(secret))
		return nil
	}
	var requests []reconcile.Request
	for i := range found.Items {
		if slices.Contains(secretNames(&found.Items[i]), secret.GetName()) {
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

// forget drops what is kept of an object that is gone.
func (r *CDPCredentialReconciler) forget(name types.NamespacedName) {
	r.memory.forget(name)
	r.OwnWrites.forget(name)
	r.Gate.Forget(r.Clock.Now(), name.String())
	r.Metrics.Forget(name)
}
