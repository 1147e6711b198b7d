package controllers

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// urgentWithin is what a token may have left for its object to go before others.
const urgentWithin = 10 * time.Minute

// urgency is an object's priority in the queue at a time: 0, or by a second's worth more the less its token has left.
func urgency(expires *metav1.Time, at time.Time) int {
	if expires == nil {
		return 0
	}
	return int((urgentWithin - min(max(expires.Sub(at), 0), urgentWithin)) / time.Second)
}

// urgentFirst lets a process begin with the objects whose tokens have the least left. After a fail-over many may be due, and without it their
// order is chance. It adds to the handler of all objects: the queue takes the higher priority of the two.
func urgentFirst(now func() time.Time) handler.EventHandler {
	return handler.Funcs{CreateFunc: func(_ context.Context, e event.CreateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		obj, ok := e.Object.(*v1alpha1.CDPCredential)
		queue, prioritizes := q.(priorityqueue.PriorityQueue[reconcile.Request])
		if !ok || !prioritizes {
			return
		}
		if priority := urgency(obj.Status.TokenExpirationTime, now()); priority > 0 {
			queue.AddWithOpts(priorityqueue.AddOpts{Priority: &priority}, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(obj)})
		}
	}}
}
