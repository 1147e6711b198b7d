// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TestChangeCostsOneTokenOrNone makes one change to a settled credential, and checks how many tokens it costs and the resulting target.
func TestChangeCostsOneTokenOrNone(t *testing.T) {
	t.Parallel()
	target := func(change func(*corev1.Secret)) func(*credential) {
		return func(c *credential) { c.editSecret("etl-token", change) }
	}
	object := func(change func(*v1alpha1.CDPCredential)) func(*credential) {
		return func(c *credential) { c.edit(change) }
	}
	// Only the data revision may differ, because each write has its own.
	withoutRevision := func(secret *corev1.Secret) *corev1.Secret {
		state := secret.Annotations["cdpcredentials.io/state"]
		secret.Annotations["cdpcredentials.io/state"] = regexp.MustCompile(`"dataRevision":"[0-9a-f]{16}"`).ReplaceAllString(state, "")
		return secret
	}
	restored := func(c *credential, before, now *corev1.Secret) string {
		before, now = withoutRevision(before), withoutRevision(now)
		return cmp.Diff([]any{before.Data, before.Labels, before.Annotations, before.OwnerReferences},
			[]any{now.Data, now.Labels, now.Annotations, now.OwnerReferences})
	}
	tests := map[string]struct {
		change func(*credential)
		costs  int
		// want returns what is wrong with the target; the test fails with its last result.
		want func(c *credential, before, now *corev1.Secret) string
	}{
		"target deleted": {
			change: func(c *credential) { c.must(c.Client.Delete(c.Context(), c.target())) }, costs: 1,
			want: func(_ *credential, before, now *corev1.Secret) string {
				return cmp.Diff([]any{before.Labels, before.OwnerReferences}, []any{now.Labels, now.OwnerReferences})
			},
		},
		"token edited":               {change: target(func(s *corev1.Secret) { s.Data["token"] = []byte("edited") }), costs: 1},
		"token emptied":              {change: target(func(s *corev1.Secret) { s.Data["token"] = nil }), costs: 1},
		"token removed":              {change: target(func(s *corev1.Secret) { delete(s.Data, "token") }), costs: 1},
		"state annotation removed":   {change: target(func(s *corev1.Secret) { delete(s.Annotations, "cdpcredentials.io/state") }), costs: 1},
		"other key edited":           {change: target(func(s *corev1.Secret) { s.Data["authorization"] = []byte("edited") }), want: restored},
		"other key removed":          {change: target(func(s *corev1.Secret) { delete(s.Data, "authorization") }), want: restored},
		"expires-at edited":          {change: target(func(s *corev1.Secret) { s.Annotations["cdpcredentials.io/expires-at"] = "2099-01-01T00:00:00Z" }), want: restored},
		"label of the target edited": {change: target(func(s *corev1.Secret) { s.Labels["team"] = "thieves" }), want: restored},
		"managed-by removed":         {change: target(func(s *corev1.Secret) { delete(s.Labels, "app.kubernetes.io/managed-by") }), want: restored},
		"owner removed":              {change: target(func(s *corev1.Secret) { s.OwnerReferences = nil }), want: restored},
		"foreign key added": {
			change: target(func(s *corev1.Secret) { s.Data["theirs"] = []byte("1") }),
			want: func(_ *credential, before, now *corev1.Secret) string {
				before.Data["theirs"] = []byte("1")
				return cmp.Diff(before.Data, now.Data)
			},
		},
		"template changed": {
			change: object(func(o *v1alpha1.CDPCredential) {
				o.Spec.Target.Data = map[string]v1alpha1.DataTemplate{"header": "Token {{ .token }}"}
			}),
			want: func(_ *credential, before, now *corev1.Secret) string {
				token := before.Data["token"]
				return cmp.Diff(map[string][]byte{"token": token, "header": []byte("Token " + string(token))}, now.Data)
			},
		},
		"labels and annotations changed": {
			change: object(func(o *v1alpha1.CDPCredential) {
				o.Spec.Target.Labels = map[string]v1alpha1.LabelValue{"cost-center": "gold"}
				o.Spec.Target.Annotations = map[string]v1alpha1.AnnotationValue{"owner": "x"}
			}),
			want: func(_ *credential, before, now *corev1.Secret) string {
				return cmp.Diff([]any{before.Data, map[string]string{"cost-center": "gold", "app.kubernetes.io/managed-by": "cdp-credential-operator"}, "x"},
					[]any{now.Data, now.Labels, now.Annotations["owner"]})
			},
		},
		"Retain instead of Delete": {
			change: object(func(o *v1alpha1.CDPCredential) { o.Spec.Target.DeletionPolicy = "Retain" }),
			want: func(_ *credential, before, now *corev1.Secret) string {
				before.OwnerReferences = nil
				return cmp.Diff([]any{before.Data, before.Labels, before.OwnerReferences}, []any{now.Data, now.Labels, now.OwnerReferences})
			},
		},
		"target renamed": {
			change: object(func(o *v1alpha1.CDPCredential) { o.Spec.Target.Name = "renamed" }),
			want: func(c *credential, before, now *corev1.Secret) string {
				if c.secretOf("etl-token") != nil {
					return "the old target still exists"
				}
				return restored(c, before, now)
			},
		},
		"target renamed, with Retain": {
			change: object(func(o *v1alpha1.CDPCredential) {
				o.Spec.Target.Name, o.Spec.Target.DeletionPolicy = "renamed", "Retain"
			}),
			want: func(c *credential, before, now *corev1.Secret) string {
				old := c.secretOf("etl-token")
				if old == nil {
					return "the old target is gone"
				}
				return cmp.Diff([]any{before.Data, before.Data}, []any{old.Data, now.Data})
			},
		},
		"client secret rotated": {
			change: func(c *credential) {
				c.known.Secret, c.known.PreviousSecret = c.spare(), c.known.Secret
				c.must(c.endpoints.Register(c.known))
				c.editClient(func(s *corev1.Secret) { s.Data["client-secret"] = []byte(c.known.Secret) })
			},
			costs: 1,
		},
		"client Secret with another key": {change: func(c *credential) { c.editClient(func(s *corev1.Secret) { s.Data["more"] = []byte("1") }) }},
		"client Secret with a newline": {change: func(c *credential) {
			c.editClient(func(s *corev1.Secret) { s.Data["client-id"] = []byte(c.known.ID + "\n") })
		}},
		"client Secret of another name": {change: func(c *credential) {
			c.createSecret("moved", map[string]string{"client-id": c.known.ID, "client-secret": c.known.Secret}, c.allowed())
			c.edit(func(o *v1alpha1.CDPCredential) { o.Spec.ClientSecretRef.Name = "moved" })
		}, costs: 1}, // even if the values are the same; otherwise it would reveal that they are
		"scopes changed":      {change: object(func(o *v1alpha1.CDPCredential) { o.Spec.Provider.OAuth2.Scopes = []v1alpha1.Scope{"read", "write"} }), costs: 1},
		"default spelled out": {change: object(func(o *v1alpha1.CDPCredential) { o.Spec.Provider.OAuth2.RequestFormat = "Form" })},
		"refresh time changed": {change: object(func(o *v1alpha1.CDPCredential) {
			o.Spec.Refresh = &v1alpha1.Refresh{Before: &metav1.Duration{Duration: time.Minute}}
		})},
		"refresh requested":      {change: func(c *credential) { c.request("2026-11-21T12:00:00Z") }, costs: 1},
		"a label of the object":  {change: object(func(o *v1alpha1.CDPCredential) { o.Labels = map[string]string{"a": "b"} })},
		"suspended and released": {change: func(c *credential) { c.suspended(); c.edit(func(o *v1alpha1.CDPCredential) { o.Spec.Suspend = false }) }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			c := s.ready("etl", func(obj *v1alpha1.CDPCredential) {
				obj.Spec.Target.Labels = map[string]v1alpha1.LabelValue{"team": "etl"}
				obj.Spec.Target.Data = map[string]v1alpha1.DataTemplate{"authorization": "Bearer {{ .token }}"}
			})
			before := c.target()
			test.change(c)
			var obj *v1alpha1.CDPCredential
			check := func() error {
				obj = c.object()
				if why := c.healthy(obj); why != nil {
					return why
				}
				if issued := c.issued(); issued != 1+test.costs {
					return fmt.Errorf("the change cost %d tokens, want %d", issued-1, test.costs)
				}
				if test.want != nil {
					if diff := test.want(c, before.DeepCopy(), c.secretOf(obj.Spec.Target.Name)); diff != "" {
						return fmt.Errorf("the target (-before +now):\n%s", diff)
					}
				}
				return nil
			}
			s.until(patience, "all well", check)
			s.throughout(4*time.Second, "all well", check) // and it stays that way
		})
	}
}
