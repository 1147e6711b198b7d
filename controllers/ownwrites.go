package controllers

import (
	"context"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
)

// wakeBySecrets wakes the objects that a Secret matters to, but not the one that has just written it.
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
