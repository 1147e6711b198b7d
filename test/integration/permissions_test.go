// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// TestRoleIsEnough runs a scenario that needs every right of the operator's roles.
func TestRoleIsEnough(t *testing.T) {
	t.Parallel()
	if err := everything(newStage(t), operatorRoles(), "whole"); err != nil {
		t.Error(err)
	}
}

// TestRoleHasNothingToSpare removes one verb of one resource at a time from the operator's roles.
func TestRoleHasNothingToSpare(t *testing.T) {
	given := slices.DeleteFunc(rights(operatorRoles()), func(r right) bool {
		return r.String() == "manager-role cdpcredentials.io cdpcredentials get" // needed only if the cache lags far behind: TestLaggingCacheRepeatsNothing
	})
	nothingToSpare(t, given, operatorRoles, "mutant", everything)
}

// nothingToSpare removes one right at a time from the roles: the scenario must fail. It starts a manager for each right, so it runs only if
// CDP_TEST_PERMISSIONS is set.
func nothingToSpare(t *testing.T, given []right, roles func() []client.Object, name string, scenario func(*stage, []client.Object, string) error) {
	t.Helper()
	if os.Getenv("CDP_TEST_PERMISSIONS") == "" {
		t.Skip("set CDP_TEST_PERMISSIONS to run this test, which takes minutes")
	}
	t.Parallel()
	for _, right := range given {
		t.Run(right.String(), func(t *testing.T) {
			t.Parallel()
			if err := scenario(newStage(t), right.without(roles()), name); err == nil {
				t.Error("everything works without it: remove it from the role")
			} else {
				t.Logf("without it: %.300v", err)
			}
		})
	}
}

// right is one verb on one resource, as granted by one rule of a role.
type right struct{ role, group, resource, verb string }

func (r right) String() string {
	return strings.Trim(strings.Join([]string{r.role, r.group, r.resource, r.verb}, " "), " ")
}

func rights(roles []client.Object) []right {
	var all []right
	for _, role := range roles {
		for _, rule := range rulesOf(role) {
			for _, group := range rule.APIGroups {
				for _, resource := range rule.Resources {
					for _, verb := range rule.Verbs {
						all = append(all, right{role.GetName(), group, resource, verb})
					}
				}
			}
		}
	}
	return all
}

// without removes the right.
func (r right) without(roles []client.Object) []client.Object {
	for _, role := range roles {
		if role.GetName() != r.role {
			continue
		}
		var rules []rbacv1.PolicyRule
		for _, rule := range rulesOf(role) {
			rest := *rule.DeepCopy()
			if slices.Contains(rule.APIGroups, r.group) && slices.Contains(rule.Resources, r.resource) {
				rest.Verbs = slices.DeleteFunc(rest.Verbs, func(verb string) bool { return verb == r.verb })
			}
			if len(rest.Verbs) > 0 {
				rules = append(rules, rest)
			}
		}
		setRules(role, rules)
	}
	return roles
}

func setRules(role client.Object, rules []rbacv1.PolicyRule) {
	switch role := role.(type) {
	case *rbacv1.ClusterRole:
		role.Rules = rules
	case *rbacv1.Role:
		role.Rules = rules
	}
}

// everything runs a manager with these roles and lets it do everything that it ever does. It returns what did not work.
func everything(s *stage, roles []client.Object, name string) error {
	s.Helper()
	s.manager = s.namespace
	id, err := s.grant(s.Context(), roles, name)
	s.must(err)
	manager, err := s.startManager(s.Context(), id, name, "--leader-elect", "--watch-selector="+managerLabel+"="+s.manager, "--allowed-cidrs="+openAddress,
		"KUBE_FEATURE_WatchListClient=false") // older API servers need list before watch
	if err != nil {
		return err
	}
	s.Cleanup(func() {
		if err := manager.stop(); err != nil {
			s.Log(err) // a manager that may not read does not end gracefully
		}
	})
	_, obj := s.prepare("etl")
	s.must(s.Client.Create(s.Context(), obj))
	c := &credential{stage: s, name: "etl", known: exchangetest.Client{System: exchangetest.OAuth2, ID: "etl-id"}}

	steps := []struct {
		what  string
		do    func()
		check func() error
	}{
		{"a token", nil, func() error { return c.issuedAndHealthy(1) }},
		{"its event", nil, func() error { return c.hasEvents("TokenRefreshed", 1) }},
		{"a restored key", func() { c.editSecret("etl-token", func(secret *corev1.Secret) { secret.Labels = nil }) }, func() error {
			if c.target().Labels["app.kubernetes.io/managed-by"] == "" {
				return errNotYet
			}
			return nil
		}},
		{"a renamed target", func() { c.edit(renamed) }, func() error {
			if c.target() != nil {
				return fmt.Errorf("the old target still exists")
			}
			return c.issuedAndHealthy(1)
		}},
		{"a restored target", func() { s.must(s.Client.Delete(s.Context(), s.secretOf("renamed"))) }, func() error { return c.issuedAndHealthy(2) }},
		{"two Warnings with one reason in one reconcile", func() {
			c.settled()
			s.endpoints.SetBehaviour(exchangetest.Behaviour{Fault: func(exchangetest.Request) *exchangetest.Fault { return exchangetest.Reset() }})
			c.edit(func(obj *v1alpha1.CDPCredential) {
				obj.Spec.Provider.OAuth2.Scopes = []v1alpha1.Scope{"write"}
				obj.Spec.Verify = &v1alpha1.Verify{URL: v1alpha1.HTTPSURL(s.endpoints.APIURL(exchangetest.OAuth2))}
			})
		}, func() error { return c.hasEvents("EndpointUnavailable", 2) }},
		{"the event of the leader", nil, func() error { return s.hasLeaderEvent(id.namespace) }},
		{"the Lease", nil, func() error { return s.hasLease(id.namespace) }},
		{"the metrics page", nil, func() error {
			token, err := s.reader(s.Context())
			if err == nil {
				_, err = get(s.Context(), insecure(), manager.metrics+"/metrics", token)
			}
			return err
		}},
		{"nothing that was forbidden", nil, func() error {
			lines, err := manager.lines("forbidden")
			if err == nil && len(lines) > 0 {
				err = errors.New(lines[0])
			}
			return err
		}},
	}
	for _, step := range steps {
		if step.do != nil {
			step.do()
		}
		if err := within(s.Context(), 30*time.Second, step.check); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return nil
}

func within(ctx context.Context, limit time.Duration, check func() error) error {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(limit); ; <-ticker.C {
		if err := check(); err == nil || time.Now().After(deadline) || ctx.Err() != nil {
			return err
		}
	}
}

func renamed(obj *v1alpha1.CDPCredential) { obj.Spec.Target.Name = "renamed" }

func (c *credential) issuedAndHealthy(n int) error {
	if issued := c.issued(); issued != n {
		return fmt.Errorf("%d tokens were issued", issued)
	}
	return c.healthy(c.object())
}

func (c *credential) hasEvents(reason string, n int) error {
	if count := c.countEvents(c.name, reason); count != n {
		return fmt.Errorf("%d events %s", count, reason)
	}
	return nil
}

func (s *stage) hasLeaderEvent(namespace string) error {
	events := &corev1.EventList{}
	s.must(s.Client.List(s.Context(), events, client.InNamespace(namespace)))
	for _, event := range events.Items {
		if event.Reason == "LeaderElection" {
			return nil
		}
	}
	return errNotYet
}

// hasLease requires that the Lease has been renewed, as it is while the manager leads.
func (s *stage) hasLease(namespace string) error {
	leases, err := s.clientset.CoordinationV1().Leases(namespace).List(s.Context(), metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, lease := range leases.Items {
		if strings.HasPrefix(lease.Name, "cdp-credential-operator-") && lease.Spec.RenewTime.After(lease.Spec.AcquireTime.Time) {
			return nil
		}
	}
	return errNotYet
}
