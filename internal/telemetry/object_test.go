// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/google/go-cmp/cmp"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TestFailingConditions: Stalled and Reconciling say that something is wrong while they are True, Verified while it is False, and no other does.
func TestFailingConditions(t *testing.T) {
	t.Parallel()
	condition := func(kind string, truth metav1.ConditionStatus, reason string) metav1.Condition {
		return metav1.Condition{Type: kind, Status: truth, Reason: reason}
	}
	ready := condition("Ready", "True", "TokenValid")
	for name, tc := range map[string]struct {
		conditions []metav1.Condition
		want       []FailingCondition
	}{
		"none": {nil, nil},
		"well": {[]metav1.Condition{ready, condition("Refreshed", "True", "TokenIssued"), condition("Verified", "True", "Verified")}, nil},
		"an outage": {
			[]metav1.Condition{ready, condition("Refreshed", "False", "EndpointUnavailable"), condition("Reconciling", "True", "EndpointUnavailable")},
			[]FailingCondition{{Condition: "Reconciling", Reason: "EndpointUnavailable"}},
		},
		"stalled, and not verified": {
			[]metav1.Condition{condition("Verified", "False", "TokenRejected"), condition("Stalled", "True", "BudgetSpent")},
			[]FailingCondition{{Condition: "Stalled", Reason: "BudgetSpent"}, {Condition: "Verified", Reason: "TokenRejected"}},
		},
		"no longer stalled": {[]metav1.Condition{condition("Stalled", "False", "BudgetSpent")}, nil},
		"not verified yet":  {[]metav1.Condition{condition("Verified", "Unknown", "EndpointUnavailable")}, nil},
	} {
		if diff := cmp.Diff(tc.want, FailingConditions(tc.conditions)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

// TestObjectOfSuspendedIsNotFailing: Verified keeps the API's last answer during a suspension, when no alert should fire because of it.
func TestObjectOfSuspendedIsNotFailing(t *testing.T) {
	t.Parallel()
	spec := &v1alpha1.CDPCredentialSpec{}
	status := &v1alpha1.CDPCredentialStatus{Conditions: []metav1.Condition{{Type: "Verified", Status: "False", Reason: "TokenRejected"}}}
	if got := ObjectOf(spec, status, "oauth2", ""); len(got.Failing) != 1 || got.Suspended {
		t.Errorf("not suspended: %+v", got)
	}
	spec.Suspend = true
	if got := ObjectOf(spec, status, "oauth2", ""); got.Failing != nil || !got.Suspended {
		t.Errorf("suspended: %+v", got)
	}
}
