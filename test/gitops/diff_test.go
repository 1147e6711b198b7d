// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"fmt"
	"maps"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// strict returns a client that refuses unknown fields, as kubectl does.
func (c *lazyCluster) strict() client.Client {
	return client.WithFieldValidation(c.cluster.Client, metav1.FieldValidationStrict)
}

// TestCredentialsAreValid: the API server accepts every CDPCredential that users may copy.
func TestCredentialsAreValid(t *testing.T) {
	t.Parallel()
	c := sharedCluster(t)
	count := 0
	for where, objects := range credentials(t) {
		for _, obj := range objects {
			count++
			obj := obj.DeepCopy()
			obj.SetNamespace("default")
			obj.SetResourceVersion("")
			if err := c.strict().Create(t.Context(), obj, client.DryRunAll); err != nil && !apierrors.IsAlreadyExists(err) {
				t.Errorf("%s: %v", where, err)
			}
		}
	}
	if count < 20 {
		t.Errorf("found only %d CDPCredentials", count)
	}
}

// TestNoPermanentDiff: after the operator has processed an object, the object is what was applied, and applying it again changes nothing.
func TestNoPermanentDiff(t *testing.T) {
	t.Parallel()
	c := sharedCluster(t)
	all := credentials(t)
	maps.DeleteFunc(all, func(where string, _ []*unstructured.Unstructured) bool {
		return filepath.Dir(where) != "config/samples" && where != "gitops/example/credentials/credential.yaml" && where != "docs/gitops.md"
	})
	for where, objects := range all {
		for _, obj := range objects {
			t.Run(where, func(t *testing.T) {
				t.Parallel()
				obj := obj.DeepCopy()
				obj.SetNamespace(c.namespace(t)) // without a client Secret, so no token is requested
				apply := func(options ...client.ApplyOption) *unstructured.Unstructured {
					t.Helper()
					applied := obj.DeepCopy()
					err := c.cluster.Client.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(applied),
						append(options, client.FieldOwner("argocd-controller"), client.ForceOwnership)...)
					if err != nil {
						t.Fatal(err)
					}
					return applied
				}
				apply()
				live := c.live(t, obj.GetNamespace(), obj.GetName())
				wait(t, "the operator has looked at it", func() bool {
					live = c.live(t, obj.GetNamespace(), obj.GetName())
					observed, _, _ := unstructured.NestedInt64(live.Object, "status", "observedGeneration")
					return observed == live.GetGeneration()
				}, func() string { return fmt.Sprint(live.Object["status"]) })
				if diff := cmp.Diff(obj.Object["spec"], live.Object["spec"]); diff != "" {
					t.Errorf("spec, -applied +stored:\n%s", diff)
				}
				if diff := cmp.Diff(obj.GetAnnotations(), live.GetAnnotations()); diff != "" {
					t.Errorf("annotations, -applied +stored:\n%s", diff)
				}
				if len(live.GetLabels()) != 0 || len(live.GetFinalizers()) != 0 || live.GetGeneration() != 1 {
					t.Errorf("labels %v, finalizers %v, generation %d", live.GetLabels(), live.GetFinalizers(), live.GetGeneration())
				}
				for name, again := range map[string]*unstructured.Unstructured{"dry run": apply(client.DryRunAll), "second time": apply()} {
					if again.GetResourceVersion() != live.GetResourceVersion() {
						t.Errorf("%s: applying the same again changes the object", name)
					}
				}
			})
		}
	}
}

// TestArgoTracking: Argo CD's tracking marks are not copied to the target, which Argo CD would otherwise prune.
func TestArgoTracking(t *testing.T) {
	t.Parallel()
	for _, policy := range []v1alpha1.DeletionPolicy{v1alpha1.DeletionPolicyDelete, v1alpha1.DeletionPolicyRetain} {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			p := newPlay(t)
			p.introduce()
			obj := p.credential()
			obj.Labels = map[string]string{"app.kubernetes.io/instance": "marketing"}
			obj.Annotations = map[string]string{"argocd.argoproj.io/tracking-id": "marketing:cdpcredentials.io/CDPCredential:" + p.namespace + "/etl"}
			obj.Spec.Target.DeletionPolicy = policy
			p.create(obj)
			p.until(current)
			target := &corev1.Secret{}
			if err := p.cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: p.namespace, Name: "etl-token"}, target); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string]string{"app.kubernetes.io/managed-by": "cdp-credential-operator"}, target.Labels); diff != "" {
				t.Errorf("labels, -want +got:\n%s", diff)
			}
			for key := range target.Annotations {
				switch key {
				case "cdpcredentials.io/credential", "cdpcredentials.io/expires-at", "cdpcredentials.io/state":
				default:
					t.Errorf("the target has the annotation %s", key)
				}
			}
			if owned := metav1.GetControllerOf(target) != nil; owned != (policy == v1alpha1.DeletionPolicyDelete) || len(target.OwnerReferences) > 1 {
				t.Errorf("owner references: %v", target.OwnerReferences)
			}
			for _, entry := range p.live(p.T, p.namespace, "etl").GetManagedFields() {
				if entry.Manager == "cdp-credential-operator" && entry.Subresource != "status" {
					t.Errorf("the operator wrote to the object itself: %s", entry.FieldsV1)
				}
			}
		})
	}
}
