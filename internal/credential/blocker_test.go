// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TestNewBlockerIsWorthALiveRead has what of an obstacle in the cache is worth reads of the API server.
func TestNewBlockerIsWorthALiveRead(t *testing.T) {
	tests := []struct {
		name string
		step Plan
		// told is the reason of the condition Refreshed, empty if it is True.
		told string
		want bool
	}{
		{"no obstacle", Plan{Action: ActionIssue}, "", false},
		{"client Secret missing", Plan{Failure: stalled("SecretNotFound", "")}, "", true},
		{"client Secret missing, while a failure is waited out", Plan{Failure: stalled("SecretNotFound", "")}, "CredentialsRejected", true},
		{"client Secret missing, as told", Plan{Failure: stalled("SecretNotFound", "")}, "SecretNotFound", false},
		{"no consent", Plan{Failure: stalled("HostNotAllowed", "")}, "", true},
		{"no consent to the CA", Plan{Failure: stalled("CANotAllowed", "")}, "", true},
		{"no consent to basic", Plan{Failure: stalled("SecretNotAllowed", "")}, "Throttled", true},
		{"foreign target", Plan{Failure: stalled("TargetNotOwned", "")}, "SecretNotFound", true},
		{"unusable target", Plan{Failure: stalled("TargetUnusable", "")}, "", true},
		{"what the object itself says", Plan{Failure: stalled("InvalidSpec", "")}, "", false},
		{"budget", Plan{Failure: stalled("BudgetSpent", "")}, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &State{Object: &v1alpha1.CDPCredential{}}
			if tt.told != "" {
				s.Object.Status.Conditions = []metav1.Condition{{Type: "Refreshed", Status: metav1.ConditionFalse, Reason: tt.told}}
			}
			if got := isNewBlocker(s, tt.step); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// Parsing certificates is only worth its cost where something is to be done, or the spec is new or was invalid.
func TestCABundleIsParsedWhereThatIsWorthIt(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		action Action
		given  func(*State)
		want   string
	}{
		"nothing to do":              {ActionNone, func(*State) {}, ""},
		"a rewrite":                  {ActionRewrite, func(*State) {}, "InvalidSpec"},
		"nothing to do, new spec":    {ActionNone, func(s *State) { s.Object.Generation = 4 }, "InvalidSpec"},
		"nothing to do, was invalid": {ActionNone, func(s *State) { failed(s, "InvalidSpec", "") }, "InvalidSpec"},
		"nothing to do, other state": {ActionNone, func(s *State) { failed(s, "Throttled", "") }, ""},
		"a rewrite without a bundle": {ActionRewrite, func(s *State) { s.Object.Spec.TLS = nil }, ""},
	} {
		s := steady()
		s.Object.Status.ObservedGeneration = 3
		s.Object.Spec.TLS = &v1alpha1.TLS{CABundle: []byte("no PEM")}
		tc.given(s)
		got := ""
		if f := invalidCABundle(s, tc.action); f != nil {
			got = f.Reason
		}
		if got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

// TestTransitionTimesHaveWholeSeconds: the API server gives back no fraction of a second, and a status that differs in one would be written again.
func TestTransitionTimesHaveWholeSeconds(t *testing.T) {
	s := &State{Object: &v1alpha1.CDPCredential{}, Now: time.Date(2026, 3, 1, 0, 0, 0, 999, time.UTC)}
	set(s, &s.Object.Status, "Ready", metav1.ConditionTrue, "TokenValid", "")
	if got, want := s.Object.Status.Conditions[0].LastTransitionTime, metav1.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC); !got.Equal(&want) {
		t.Errorf("got %s, want %s", got.Format(time.RFC3339Nano), want.Format(time.RFC3339Nano))
	}
}
