package controllers

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TestFailing: what is wrong with an object is told as long as it lasts, and nothing of it stays.
func TestFailing(t *testing.T) {
	t.Parallel()
	m, registry := newMetrics(t)
	v := steady()
	check := func(when string, conditions []metav1.Condition, want ...string) {
		t.Helper()
		m.observe(v, &v1alpha1.CDPCredentialStatus{Conditions: conditions})
		var got []string
		for _, line := range scraped(t, registry) {
			if rest, ok := strings.CutPrefix(line, "cdpcredential_failing"); ok {
				got = append(got, rest)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", when, diff)
		}
	}
	condition := func(kind string, truth metav1.ConditionStatus, reason string) metav1.Condition {
		return metav1.Condition{Type: kind, Status: truth, Reason: reason}
	}
	const of = ",name=etl,namespace=marketing,"
	ready := condition("Ready", "True", "TokenValid")
	check("well", []metav1.Condition{ready, condition("Refreshed", "True", "TokenIssued"), condition("Verified", "True", "Verified")})
	check("an outage", []metav1.Condition{ready, condition("Refreshed", "False", "EndpointUnavailable"), condition("Reconciling", "True", "EndpointUnavailable")},
		"{condition=Reconciling"+of+"reason=EndpointUnavailable} 1")
	check("another reason", []metav1.Condition{condition("Reconciling", "True", "Throttled")}, "{condition=Reconciling"+of+"reason=Throttled} 1")
	check("stalled, and not verified", []metav1.Condition{condition("Stalled", "True", "BudgetSpent"), condition("Verified", "False", "TokenRejected")},
		"{condition=Stalled"+of+"reason=BudgetSpent} 1", "{condition=Verified"+of+"reason=TokenRejected} 1")
	check("not verified yet", []metav1.Condition{condition("Verified", "Unknown", "EndpointUnavailable")})
	check("stalled", []metav1.Condition{condition("Stalled", "True", "SecretNotFound")}, "{condition=Stalled"+of+"reason=SecretNotFound} 1")

	m.forget(types.NamespacedName{Namespace: "marketing", Name: "etl"})
	for _, line := range scraped(t, registry) {
		if strings.Contains(line, "name=etl") {
			t.Errorf("once the object is gone there is still %s", line)
		}
	}
	if len(m.failing.shown) != 0 {
		t.Errorf("it still remembers %v", m.failing.shown)
	}
}
