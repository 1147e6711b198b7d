// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// TestDeletedObjectGivesUpASharedTarget: a target with keys of others has no owner reference, so the operator takes the token out of it.
func TestDeletedObjectGivesUpASharedTarget(t *testing.T) {
	t.Parallel()
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "etl-token", nil)
	for name, tc := range map[string]struct {
		refuses error
		fails   bool
		keeps   []string
	}{
		"taken out":                      {nil, false, []string{"password"}},
		"refused for good":               {forbidden, false, []string{"password", "token"}},
		"refused for the moment, retry":  {apierrors.NewTimeoutError("overloaded", 1), true, []string{"password", "token"}},
		"gone in between, nothing to do": {apierrors.NewNotFound(schema.GroupResource{Resource: "secrets"}, "etl-token"), false, []string{"password", "token"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, nil)
			_, err := l.reconcile("11:00:00", "get etl-client", "exchange", "create etl-token", "patch status")
			l.must(err)
			l.editTarget(func(s *corev1.Secret) { s.Data["password"] = []byte("of somebody else") })
			_, _ = l.r.Reconcile(t.Context(), l.request()) // finds the key
			l.must(l.api.Delete(t.Context(), l.object()))
			l.interfere = func(what string) error {
				if what == "patch etl-token" {
					return tc.refuses
				}
				return nil
			}
			_, err = l.reconcile("11:01:00", "get etl", "patch etl-token")
			if (err != nil) != tc.fails {
				t.Errorf("error %v", err)
			}
			data := l.target().Data
			for _, key := range tc.keeps {
				if data[key] == nil {
					t.Errorf("the key %s is gone", key)
				}
			}
			if len(data) != len(tc.keeps) {
				t.Errorf("it holds %d keys, want %v", len(data), tc.keeps)
			}
		})
	}
}
