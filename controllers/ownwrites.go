package controllers

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
)

// OwnWrites are the versions of targets that this process has written and whose events have not come yet. The pass that wrote one knows what is in
// it, so its event need not wake the object again. Whatever anybody else does to the Secret has another version. The zero value is ready to use; nil
// recognises nothing.
type OwnWrites struct {
	mu       sync.Mutex
	versions map[types.NamespacedName]string // by object
}

// wrote takes down what an object's pass has written.
func (w *OwnWrites) wrote(object types.NamespacedName, version string) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.versions == nil {
		w.versions = map[types.NamespacedName]string{}
	}
	w.versions[object] = version
}

// recognise reports whether an object's pass has written this version, and its event comes for the first time.
func (w *OwnWrites) recognise(object types.NamespacedName, version string) bool {
	if w == nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	written, ok := w.versions[object]
	if !ok || written != version {
		return false
	}
	delete(w.versions, object)
	return true
}

func (w *OwnWrites) forget(object types.NamespacedName) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.versions, object)
}

// wakeBySecrets wakes the objects that a Secret matters to, but not the one that has just written it.
func (r *CDPCredentialReconciler) wakeBySecrets() handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	owner := func(secret client.Object) string { return secret.GetAnnotations()[v1alpha1.CredentialAnnotation] }
	wake := func(q queue, requests []reconcile.Request, version string) {
		for _, request := range requests {
			if !r.OwnWrites.recognise(request.NamespacedName, version) {
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
