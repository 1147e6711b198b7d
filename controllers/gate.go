package controllers

import (
	"context"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// wokenPriority is above that of every object that is not woken by the gate: a place is kept for it.
const wokenPriority = 2 * int(urgentWithin/time.Second)

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
