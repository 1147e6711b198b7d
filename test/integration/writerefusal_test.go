// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// refuseByPolicy lets a ValidatingAdmissionPolicy refuse the stage's targets, with a message that nobody may see.
func (s *stage) refuseByPolicy() (allow func()) {
	s.Helper()
	return s.policy("secrets", "!object.metadata.name.endsWith('-token')", &corev1.Secret{ObjectMeta: s.meta("try-token")})
}

// policy lets a ValidatingAdmissionPolicy refuse writes of the stage's objects unless an expression is true. refused is an object for which it is
// not.
func (s *stage) policy(resource, expression string, refused client.Object) (allow func()) {
	s.Helper()
	name := s.namespace + "-policy"
	policy := &admissionregistrationv1.ValidatingAdmissionPolicy{ObjectMeta: metav1.ObjectMeta{Name: name}}
	policy.Spec = admissionregistrationv1.ValidatingAdmissionPolicySpec{
		FailurePolicy: new(admissionregistrationv1.Fail),
		MatchConstraints: &admissionregistrationv1.MatchResources{
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": s.namespace}},
			ResourceRules: []admissionregistrationv1.NamedRuleWithOperations{{RuleWithOperations: admissionregistrationv1.RuleWithOperations{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create, admissionregistrationv1.Update},
				Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{resource}},
			}}},
		},
		Validations: []admissionregistrationv1.Validation{{Expression: expression, Message: "needle of a policy"}},
	}
	s.must(s.Client.Create(s.Context(), policy))
	binding := &admissionregistrationv1.ValidatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: name}}
	binding.Spec.PolicyName = name
	binding.Spec.ValidationActions = []admissionregistrationv1.ValidationAction{admissionregistrationv1.Deny}
	s.must(s.Client.Create(s.Context(), binding))
	tried := func(isRefused bool) func() error {
		return func() error {
			err := s.Client.Create(s.Context(), refused.DeepCopyObject().(client.Object), client.DryRunAll)
			if (err != nil) != isRefused {
				return fmt.Errorf("the dry run returned %w", err)
			}
			return nil
		}
	}
	s.until(patience, "the policy", tried(true))
	allow = func() {
		s.must(client.IgnoreNotFound(s.Client.Delete(s.Context(), binding)))
		s.must(client.IgnoreNotFound(s.Client.Delete(s.Context(), policy)))
		s.until(patience, "the policy to go", tried(false))
	}
	return allow
}

// refuseByQuota lets a ResourceQuota refuse the creation of Secrets. No controller updates its status here.
func (s *stage) refuseByQuota() (allow func()) {
	s.Helper()
	none := corev1.ResourceList{corev1.ResourceSecrets: resource.MustParse("0")}
	quota := &corev1.ResourceQuota{ObjectMeta: s.meta("no-secrets"), Spec: corev1.ResourceQuotaSpec{Hard: none}}
	s.must(s.Client.Create(s.Context(), quota))
	quota.Status = corev1.ResourceQuotaStatus{Hard: none, Used: none}
	s.must(s.Client.Status().Update(s.Context(), quota))
	tried := func(refused bool) func() error {
		return func() error {
			err := s.Client.Create(s.Context(), &corev1.Secret{ObjectMeta: s.meta("try-quota")}, client.DryRunAll)
			if (err != nil) != refused {
				return fmt.Errorf("the dry run returned %w", err)
			}
			return nil
		}
	}
	s.until(patience, "the quota", tried(true))
	return func() {
		s.must(s.Client.Delete(s.Context(), quota))
		s.until(patience, "the quota to go", tried(false))
	}
}

// without returns the operator's roles without a verb on Secrets.
func without(verb string) []client.Object {
	roles := operatorRoles()
	for _, role := range roles {
		if role, ok := role.(*rbacv1.ClusterRole); ok {
			for i, rule := range role.Rules {
				if rule.Resources[0] == "secrets" {
					role.Rules[i].Verbs = nil
					for _, v := range rule.Verbs {
						if v != verb {
							role.Rules[i].Verbs = append(role.Rules[i].Verbs, v)
						}
					}
				}
			}
		}
	}
	return roles
}

// TestRefusedWriteKeepsTheIssuedToken: a policy, a quota or a missing right prevents the write of the target. The token that was issued before that
// was known is kept, no other one is requested, and it is written once that is allowed. The refuser is reported, but not its message.
func TestRefusedWriteKeepsTheIssuedToken(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		refuse func(*stage) (allow func())
		says   []string
	}{
		"policy": {(*stage).refuseByPolicy, []string{"(HTTP 422 Invalid, by ValidatingAdmissionPolicy $NS-policy)", "ask whoever runs the cluster what it wants"}},
		"quota":  {(*stage).refuseByQuota, []string{"(HTTP 403 Forbidden, by ResourceQuota no-secrets)"}},
		"rights": {nil, []string{"(HTTP 403 Forbidden)", "to restore the operator's role"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			a, allow := assembly{}, func() {}
			if tc.refuse != nil {
				s.operate(a)
				s.quiet("before")
			} else {
				roles := without("create")
				id, err := s.grant(t.Context(), roles, nameOf(t))
				s.must(err)
				a.identity = &id
				s.operate(a)
				allow = func() {
					role := &rbacv1.ClusterRole{}
					s.must(s.Client.Get(t.Context(), client.ObjectKeyFromObject(roles[0]), role))
					role.Rules = append(role.Rules, rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"create"}})
					s.must(s.Client.Update(t.Context(), role))
				}
			}
			c, obj := s.prepare("etl")
			if tc.refuse != nil {
				allow = tc.refuse(s)
			}
			s.must(s.Client.Create(t.Context(), obj))
			for i, say := range tc.says {
				tc.says[i] = s.fill(say)
			}
			c.waitFailed("Stalled", "TargetUnusable", append([]string{"the API server refuses the write of Secret etl-token"}, tc.says...)...)
			if said := refreshedMessage(c.object()); strings.Contains(said, "needle") {
				t.Errorf("the message contains the policy's text: %s", said)
			}
			c.request("again")
			s.until(patience, "the request to be handled", func() error {
				if c.object().Status.LastHandledRefreshRequest != "again" {
					return errNotYet
				}
				return nil
			})
			if n := c.issued(); n != 1 {
				t.Errorf("%d tokens were issued, want 1, which cannot be written", n)
			}
			allow()
			c.request("once more")
			c.waitIssued(1)
		})
	}
}

// TestNoTokenAfterARefusedWrite: the process that kept the token is gone. The next one makes a dry run with a placeholder before it requests another
// token.
func TestNoTokenAfterARefusedWrite(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	o := s.operate(assembly{})
	s.quiet("before")
	c, obj := s.prepare("etl")
	allow := s.refuseByPolicy()
	s.must(s.Client.Create(t.Context(), obj))
	c.waitFailed("Stalled", "TargetUnusable")
	if n := c.object().Status.Issuance; n == nil || n.Count != 1 {
		t.Errorf("the token that could not be written is not counted: %v", n)
	}
	o.stop()
	s.operate(assembly{})
	c.request("again")
	s.until(patience, "the request to be handled", func() error {
		if c.object().Status.LastHandledRefreshRequest != "again" {
			return errNotYet
		}
		return nil
	})
	if n := c.issued(); n != 1 {
		t.Errorf("%d tokens were issued, want 1", n)
	}
	if secret := s.secretOf("etl-token"); secret != nil {
		t.Errorf("the dry run created the Secret: %v", secret.ObjectMeta)
	}
	allow()
	c.request("once more")
	c.waitIssued(2)
	if n := c.object().Status.WriteRefusals; n != 0 {
		t.Errorf("status.writeRefusals is %d, want 0", n)
	}
}
