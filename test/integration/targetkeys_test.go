// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"maps"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TestDisallowedLabelsReachNoSecret: a label or annotation that may make another controller act on the target prevents every write of the target, new
// or not, and costs no exchange. Harmless ones, and those that an administrator has allowed, are set.
func TestDisallowedLabelsReachNoSecret(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.operate(assembly{allowedMetadata: []string{"tekton.dev", "example.com/opened"}})
	c := s.ready("etl", func(obj *v1alpha1.CDPCredential) {
		obj.Spec.Target.Labels = map[string]v1alpha1.LabelValue{"team": "x", "tekton.dev/git-0": "x"}
		obj.Spec.Target.Annotations = map[string]v1alpha1.AnnotationValue{"example.com/opened": "x"}
	})
	target := c.target()
	labels := slices.Sorted(maps.Keys(target.Labels))
	if want := []string{"app.kubernetes.io/managed-by", "team", "tekton.dev/git-0"}; !slices.Equal(labels, want) || target.Annotations["example.com/opened"] != "x" {
		t.Errorf("the target has the labels %v and the annotations %v", labels, slices.Sorted(maps.Keys(target.Annotations)))
	}
	for _, key := range []string{"argocd.argoproj.io/secret-type", "istio/multiCluster", "grafana_dashboard", "example.com/not-opened", "app.kubernetes.io/instance"} {
		for kind, set := range map[string]func(*v1alpha1.Target){
			"label": func(target *v1alpha1.Target) {
				target.Labels, target.Annotations = map[string]v1alpha1.LabelValue{key: "x"}, nil
			},
			"annotation": func(target *v1alpha1.Target) {
				target.Labels, target.Annotations = nil, map[string]v1alpha1.AnnotationValue{key: "x"}
			},
		} {
			before := c.target().ResourceVersion
			c.edit(func(obj *v1alpha1.CDPCredential) { set(&obj.Spec.Target) })
			c.waitFailed("Stalled", "InvalidSpec", key, "--allowed-target-metadata="+key)
			if c.target().ResourceVersion != before || c.issued() != 1 {
				t.Errorf("%s %s: the target was written, or a token issued", kind, key)
			}
		}
	}
	c.edit(func(obj *v1alpha1.CDPCredential) { obj.Spec.Target.Labels, obj.Spec.Target.Annotations = nil, nil })
	s.until(patience, "the target to be as before", func() error {
		if obj := c.object(); meta.IsStatusConditionTrue(obj.Status.Conditions, "Stalled") {
			return errNotYet
		}
		return is(c.object(), "Ready", metav1.ConditionTrue, "TokenValid")
	})

	fresh, obj := s.prepare("fresh")
	obj.Spec.Target.Labels = map[string]v1alpha1.LabelValue{"argocd.argoproj.io/secret-type": "cluster"}
	s.must(s.Client.Create(t.Context(), obj))
	fresh.waitFailed("Stalled", "InvalidSpec", "argocd.argoproj.io/secret-type")
	if fresh.target() != nil || fresh.issued() != 0 {
		t.Error("a target was created, or a token issued")
	}
}
