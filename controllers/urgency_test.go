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
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
)

func TestUrgency(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		left time.Duration
		want int
	}{
		"a day left":        {24 * time.Hour, 0},
		"ten minutes left":  {10 * time.Minute, 0},
		"nine minutes left": {9 * time.Minute, 60},
		"a second left":     {time.Second, 599},
		"expired":           {0, 600},
		"expired long ago":  {-48 * time.Hour, 600},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := credential.QueuePriority(&metav1.Time{Time: now.Add(tc.left)}, now); got != tc.want {
				t.Errorf("got %d, not %d", got, tc.want)
			}
		})
	}
	if got := credential.QueuePriority(nil, now); got != 0 {
		t.Errorf("an object without an expiry has urgency %d", got)
	}
}

// TestUrgentFirst gives a queue the objects that a process begins with.
func TestUrgentFirst(t *testing.T) {
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
		urgentFirst(now.Now).Create(t.Context(), created, queue)
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
