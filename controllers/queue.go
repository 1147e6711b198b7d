package controllers

import (
	"context"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
)

// wokenPriority is above that of every object that is not woken by the gate: a place is kept for it.
const wokenPriority = 2 * int(credential.UrgentWithin/time.Second)

// wakeByGate has the gate wake objects by the controller's queue. It is a source of the controller: the queue exists from then on.
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

// apiRateLimiter paces what the API server refuses; the default begins at 5 ms, which is of use to nobody.
func apiRateLimiter() workqueue.TypedRateLimiter[reconcile.Request] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](retryFirst, retryMost)
}

// retryFirst and retryMost are the first and the longest wait after an error.
const (
	retryFirst = 500 * time.Millisecond
	retryMost  = time.Minute
)

// urgentFirst lets a process begin with the objects whose tokens have the least left. After a fail-over many may be due, and without it their
// order is chance. It adds to the handler of all objects: the queue takes the higher priority of the two.
func urgentFirst(now func() time.Time) handler.EventHandler {
	return handler.Funcs{CreateFunc: func(_ context.Context, e event.CreateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
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
