// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestNewFailureIsOnePerReason: one Warning for each change of a failure's reason, none while it lasts and none for what is well.
func TestNewFailureIsOnePerReason(t *testing.T) {
	t.Parallel()
	condition := func(truth metav1.ConditionStatus, reason, message string) []metav1.Condition {
		return []metav1.Condition{{Type: "Ready", Status: "False", Reason: "NoToken"}, {Type: "Refreshed", Status: truth, Reason: reason, Message: message}}
	}
	tests := map[string]struct {
		before, after []metav1.Condition
		want          string
	}{
		"the first pass, well":        {nil, condition("True", "TokenIssued", ""), ""},
		"the first pass, failed":      {nil, condition("False", "SecretNotFound", "x"), "SecretNotFound"},
		"the first pass, waiting":     {nil, nil, ""},
		"well, as before":             {condition("True", "TokenIssued", ""), condition("True", "TokenIssued", ""), ""},
		"failed after all was well":   {condition("True", "TokenIssued", ""), condition("False", "Throttled", "x"), "Throttled"},
		"failed as before":            {condition("False", "Throttled", "x"), condition("False", "Throttled", "x"), ""},
		"failed with another message": {condition("False", "Throttled", "x"), condition("False", "Throttled", "y"), ""},
		"failed for another reason":   {condition("False", "Throttled", "x"), condition("False", "BudgetSpent", "x"), "BudgetSpent"},
		"mended":                      {condition("False", "Throttled", "x"), condition("True", "TokenIssued", ""), ""},
		"from unknown to false":       {condition("Unknown", "EndpointUnavailable", "x"), condition("False", "EndpointUnavailable", "x"), "EndpointUnavailable"},
		"unknown":                     {condition("True", "Verified", "x"), condition("Unknown", "EndpointUnavailable", "x"), "EndpointUnavailable"},
		"gone":                        {condition("False", "TokenRejected", "x"), nil, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if c := NewFailure(tc.before, tc.after, "Refreshed"); c != nil {
				got = c.Reason
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
