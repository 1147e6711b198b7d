// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
)

// bothName is a cache with two objects that have the same target.
type bothName struct{ client.Client }

func (bothName) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	for _, name := range []string{"etl", "web"} {
		obj := v1alpha1.CDPCredential{Spec: v1alpha1.CDPCredentialSpec{Target: v1alpha1.Target{Name: "etl-token"}}}
		obj.Namespace, obj.Name = "marketing", name
		list.(*v1alpha1.CDPCredentialList).Items = append(list.(*v1alpha1.CDPCredentialList).Items, obj)
	}
	return nil
}

// added are the names of what a handler puts into a queue.
type added struct {
	workqueue.TypedRateLimitingInterface[reconcile.Request]
	names []string
}

func (q *added) Add(request reconcile.Request) { q.names = append(q.names, request.Name) }

// TestOwnWriteReconcilesNobodyTwice: an object is not woken by the event of what it has just written, but by everything else that happens to its target.
func TestOwnWriteReconcilesNobodyTwice(t *testing.T) {
	t.Parallel()
	secret := func(version, owner string) *metav1.PartialObjectMetadata {
		s := credential.SecretMetadata("marketing", "etl-token")
		s.UID, s.ResourceVersion, s.Annotations = "uid", version, map[string]string{v1alpha1.CredentialAnnotation: owner}
		return s
	}
	create := func(s client.Object) func(handler.EventHandler, *added) {
		return func(h handler.EventHandler, q *added) { h.Create(t.Context(), event.CreateEvent{Object: s}, q) }
	}
	update := func(before, after client.Object) func(handler.EventHandler, *added) {
		return func(h handler.EventHandler, q *added) {
			h.Update(t.Context(), event.UpdateEvent{ObjectOld: before, ObjectNew: after}, q)
		}
	}
	remove := func(s client.Object) func(handler.EventHandler, *added) {
		return func(h handler.EventHandler, q *added) { h.Delete(t.Context(), event.DeleteEvent{Object: s}, q) }
	}
	recreated := secret("7", "etl")
	recreated.UID = "another"
	for name, tt := range map[string]struct {
		wrote  string // by etl
		events []func(handler.EventHandler, *added)
		want   []string
	}{
		"created by somebody else":           {"", []func(handler.EventHandler, *added){create(secret("7", "etl"))}, []string{"etl", "web"}},
		"created by its own pass":            {"uid/7", []func(handler.EventHandler, *added){create(secret("7", "etl"))}, []string{"web"}},
		"patched by its own pass":            {"uid/7", []func(handler.EventHandler, *added){update(secret("6", "etl"), secret("7", "etl"))}, []string{"web"}},
		"the event of the write before":      {"uid/7", []func(handler.EventHandler, *added){update(secret("5", "etl"), secret("6", "etl"))}, []string{"etl", "web"}},
		"edited between write and event":     {"uid/7", []func(handler.EventHandler, *added){update(secret("6", "etl"), secret("7", "etl")), update(secret("7", "etl"), secret("8", "etl"))}, []string{"web", "etl", "web"}},
		"edited, and only that is seen":      {"uid/7", []func(handler.EventHandler, *added){update(secret("6", "etl"), secret("8", "etl"))}, []string{"etl", "web"}},
		"the same version for a second time": {"uid/7", []func(handler.EventHandler, *added){create(secret("7", "etl")), update(secret("7", "etl"), secret("7", "etl"))}, []string{"web", "etl", "web"}},
		"made again by somebody else":        {"uid/7", []func(handler.EventHandler, *added){create(recreated)}, []string{"etl", "web"}},
		"deleted":                            {"uid/7", []func(handler.EventHandler, *added){remove(secret("7", "etl"))}, []string{"etl", "web"}},
		"deleted, and nothing was written":   {"", []func(handler.EventHandler, *added){remove(secret("7", "etl"))}, []string{"etl", "web"}},
		"taken from its owner":               {"", []func(handler.EventHandler, *added){update(secret("6", "third"), secret("7", "fourth"))}, []string{"etl", "web", "fourth", "third"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &CDPCredentialReconciler{Cluster: Cluster{Client: bothName{}}, OwnWrites: &credential.OwnWrites{}}
			if tt.wrote != "" {
				r.OwnWrites.Wrote(types.NamespacedName{Namespace: "marketing", Name: "etl"}, tt.wrote)
			}
			q := &added{}
			for _, happens := range tt.events {
				happens(r.wakeBySecrets(), q)
			}
			if diff := cmp.Diff(tt.want, q.names); diff != "" {
				t.Errorf("woke others than expected (-want +got):\n%s", diff)
			}
		})
	}
}
