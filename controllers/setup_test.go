// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TestUpdateEventsThatReconcile has what a change of an object must look like to wake it.
func TestUpdateEventsThatReconcile(t *testing.T) {
	at := func(hour int) *metav1.Time {
		return new(metav1.NewTime(time.Date(2026, 3, 1, hour, 0, 0, 0, time.UTC)))
	}
	object := func(edit func(*v1alpha1.CDPCredential)) *v1alpha1.CDPCredential {
		obj := &v1alpha1.CDPCredential{}
		obj.UID, obj.Generation = "u", 2
		obj.Status = v1alpha1.CDPCredentialStatus{
			ObservedGeneration: 2, LastRefreshTime: at(3), TargetVersion: "t/10", Conditions: []metav1.Condition{
				{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue}, {Type: v1alpha1.ConditionRefreshed, Reason: "HostNotAllowed", Message: "a"},
			},
		}
		edit(obj)
		return obj
	}
	tests := []struct {
		name string
		edit func(*v1alpha1.CDPCredential)
		want bool
	}{
		{"nothing, as after a list", func(*v1alpha1.CDPCredential) {}, false},
		{"spec", func(obj *v1alpha1.CDPCredential) { obj.Generation = 3 }, true},
		{"labels", func(obj *v1alpha1.CDPCredential) { obj.Labels = map[string]string{"a": "b"} }, false},
		{"a request for a refresh", func(obj *v1alpha1.CDPCredential) {
			obj.Annotations = map[string]string{v1alpha1.RefreshRequestedAtAnnotation: "now"}
		}, true},
		{"another object of the name", func(obj *v1alpha1.CDPCredential) { obj.UID = "v" }, true},
		{"our status after a renewal", func(obj *v1alpha1.CDPCredential) {
			obj.Status.LastRefreshTime, obj.Status.TargetVersion = at(4), "t/11"
		}, false},
		{"status on a clock that is ahead", func(obj *v1alpha1.CDPCredential) { obj.Status.LastRefreshTime = at(4) }, true},
		{"our status after a failure", func(obj *v1alpha1.CDPCredential) { obj.Status.Failures, obj.Status.NextRefreshTime = 1, at(4) }, false},
		{"status lost", func(obj *v1alpha1.CDPCredential) { obj.Status = v1alpha1.CDPCredentialStatus{} }, true},
		{"status of a leader of before the renewal", func(obj *v1alpha1.CDPCredential) { obj.Status.LastRefreshTime = at(2) }, true},
		{"status of a leader of before the renewal, and of the target of then", func(obj *v1alpha1.CDPCredential) {
			obj.Status.LastRefreshTime, obj.Status.TargetVersion = at(2), "t/9"
		}, true},
		{"status of a renewal on a clock that is behind", func(obj *v1alpha1.CDPCredential) {
			obj.Status.LastRefreshTime, obj.Status.TargetVersion = at(2), "t/11"
		}, false},
		{"status of a target that was made again, on a clock that is behind", func(obj *v1alpha1.CDPCredential) {
			obj.Status.LastRefreshTime, obj.Status.TargetVersion = at(2), "v/11"
		}, false},
		{"status without its target", func(obj *v1alpha1.CDPCredential) {
			obj.Status.LastRefreshTime, obj.Status.TargetVersion = at(2), ""
		}, true},
		{"status of a leader that has seen another obstacle", func(obj *v1alpha1.CDPCredential) { obj.Status.Conditions[1].Reason = "TargetNotOwned" }, true},
		{"status of a leader that has verified", func(obj *v1alpha1.CDPCredential) {
			obj.Status.Conditions = append(obj.Status.Conditions, metav1.Condition{Type: v1alpha1.ConditionVerified, Reason: "Verified"})
		}, false},
		{"our status with another message", func(obj *v1alpha1.CDPCredential) { obj.Status.Conditions[1].Message = "b" }, false},
		{"status of a leader that has seen no token", func(obj *v1alpha1.CDPCredential) {
			obj.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse}}
		}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before, after := object(func(*v1alpha1.CDPCredential) {}), object(tt.edit)
			e, queue := event.UpdateEvent{ObjectOld: before, ObjectNew: after}, &delayedQueue{}
			wakeByStatus(time.Now).Update(t.Context(), e, queue)
			if got := specOrRefreshChanged().Update(e) || queue.after == overwrittenAfter; got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// A delayedQueue takes down after what time something is added to it.
type delayedQueue struct {
	workqueue.TypedRateLimitingInterface[reconcile.Request]
	after time.Duration
}

func (q *delayedQueue) AddAfter(_ reconcile.Request, after time.Duration) { q.after = after }
