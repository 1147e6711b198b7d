// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	testingclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TestQueueStartsWithTheSoonestExpiry gives a queue the objects that a process begins with.
func TestQueueStartsWithTheSoonestExpiry(t *testing.T) {
	t.Parallel()
	now := testingclock.NewFakePassiveClock(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
	queue := priorityqueue.New[reconcile.Request]("test")
	defer queue.ShutDown()
	for _, o := range []struct {
		name string
		left time.Duration
	}{{"later", time.Hour}, {"soon", 5 * time.Minute}, {"expired", -time.Minute}, {"sooner", time.Minute}} {
		obj := &v1alpha1.CDPCredential{ObjectMeta: metav1.ObjectMeta{Name: o.name}}
		obj.Status.TokenExpirationTime = &metav1.Time{Time: now.Now().Add(o.left)}
		created := event.CreateEvent{Object: obj, IsInInitialList: true}
		(&handler.EnqueueRequestForObject{}).Create(t.Context(), created, queue)
		wakeByStatus(now.Now).Create(t.Context(), created, queue)
	}
	var got []string
	for range 4 {
		request, _ := queue.Get()
		got = append(got, request.Name)
	}
	if want := []string{"expired", "sooner", "soon", "later"}; !slices.Equal(got, want) {
		t.Errorf("got %v, not %v", got, want)
	}
}
