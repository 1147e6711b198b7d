// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// firstLines returns the first three lines, which must name the cause.
func firstLines(out string) string {
	return strings.Join(strings.SplitN(out, "\n", 4)[:3], "\n")
}

// TestIncidentOfAPolicy: status and check name an admission policy that refuses the target.
func TestIncidentOfAPolicy(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	name := "no-tokens-" + s.namespace
	policy := &admissionv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			FailurePolicy: new(admissionv1.Fail),
			MatchConstraints: &admissionv1.MatchResources{
				NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": s.namespace}},
				ResourceRules: []admissionv1.NamedRuleWithOperations{{RuleWithOperations: admissionv1.RuleWithOperations{
					Operations: []admissionv1.OperationType{admissionv1.Create, admissionv1.Update},
					Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"secrets"}},
				}}},
			},
			Validations: []admissionv1.Validation{{Expression: "!('token' in object.data)", Message: "no tokens here"}},
		},
	}
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       admissionv1.ValidatingAdmissionPolicyBindingSpec{PolicyName: name, ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny}},
	}
	s.must(s.Client.Create(t.Context(), policy))
	s.must(s.Client.Create(t.Context(), binding))
	t.Cleanup(func() {
		_ = s.Client.Delete(context.WithoutCancel(t.Context()), binding)
		_ = s.Client.Delete(context.WithoutCancel(t.Context()), policy)
	})
	deadline := time.Now().Add(patience) // the API server needs a moment to enforce a new policy
	for s.checkNamed("admission").Result == "ok" && time.Now().Before(deadline) {
		<-time.After(200 * time.Millisecond)
	}
	if got := s.checkNamed("admission"); got.Result != "problem" || !strings.Contains(got.Message, "no tokens here") {
		t.Errorf("check: %+v", got)
	}
	s.credential("etl")
	a := s.eventually(3, "Why    TargetUnusable", "status", "etl")
	if !strings.Contains(firstLines(a.out), "Why    TargetUnusable: the write is refused by ") || !strings.Contains(a.out, name) {
		t.Errorf("status: %s", a.out)
	}
}

func TestIncidentOfABudget(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.credential("etl", func(obj *v1alpha1.CDPCredential, _ *corev1.Secret) {
		obj.Spec.Refresh = &v1alpha1.Refresh{MaxPerDay: new(int32(1))}
	})
	s.eventually(0, "1 of 1 tokens", "status", "etl")
	s.run("renew", "etl")
	a := s.eventually(3, "Why    BudgetSpent", "status", "etl")
	if !strings.Contains(firstLines(a.out), "Why    BudgetSpent: the tokens of spec.refresh.maxPerDay are used up") {
		t.Errorf("%s", a.out)
	}
}

func TestIncidentOfAClock(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.ahead = 10 * time.Minute
	if got := s.checkNamed("clock"); got.Result != "problem" || !strings.Contains(got.Message, "10m0s apart") {
		t.Errorf("%+v", got)
	}
	if out := s.run("check").out; !strings.Contains(firstLines(out), "PROBLEM  clock: ") {
		t.Errorf("%s", out)
	}
}
