package controllers

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
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
	if err := mgr.GetFieldIndexer().IndexField(ctx, &v1alpha1.CDPCredential{}, secretNameField, func(obj client.Object) []string { return slimcache.Buckets(credential.SecretNames(obj)) }); err != nil {
		return fmt.Errorf("index CDPCredentials: %w", err)
	}
	if err := mgr.GetFieldIndexer().IndexField(ctx, secretMetadata("", ""), ownedByField, func(obj client.Object) []string { return slimcache.Buckets(credential.ControllerUID(obj)) }); err != nil {
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

// skipInitialList drops Create events of the initial Secret list: every credential is reconciled at start anyway, once both lists are there.
func skipInitialList() predicate.Predicate {
	return predicate.Funcs{CreateFunc: func(e event.CreateEvent) bool { return !e.IsInInitialList }}
}

// specOrRefreshChanged lets through what may give something to do: not our own status patches, nor other metadata.
func specOrRefreshChanged() predicate.Predicate {
	return predicate.Or(predicate.GenerationChangedPredicate{}, predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			const request = v1alpha1.RefreshRequestedAtAnnotation
			return e.ObjectOld.GetAnnotations()[request] != e.ObjectNew.GetAnnotations()[request] ||
				e.ObjectOld.GetUID() != e.ObjectNew.GetUID() || credential.StatusOverwritten(e.ObjectOld, e.ObjectNew)
		},
	})
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

// forget drops what is kept of an object that is gone.
func (r *CDPCredentialReconciler) forget(name types.NamespacedName) {
	r.memory.forget(name)
	r.OwnWrites.Forget(name)
	r.Gate.Forget(r.Clock.Now(), name.String())
	r.Metrics.Forget(name)
}
