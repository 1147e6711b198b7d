package controllers

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TestNewObstacle has what of an obstacle in the cache is worth reads of the API server.
func TestNewObstacle(t *testing.T) {
	tests := []struct {
		name string
		step step
		// told is the reason of the condition Refreshed, empty if it is True.
		told string
		want bool
	}{
		{"no obstacle", step{action: issue}, "", false},
		{"client Secret missing", step{failure: stalled("SecretNotFound", "")}, "", true},
		{"client Secret missing, while a failure is waited out", step{failure: stalled("SecretNotFound", "")}, "CredentialsRejected", true},
		{"client Secret missing, as told", step{failure: stalled("SecretNotFound", "")}, "SecretNotFound", false},
		{"no consent", step{failure: stalled("HostNotAllowed", "")}, "", true},
		{"no consent to the CA", step{failure: stalled("CANotAllowed", "")}, "", true},
		{"no consent to basic", step{failure: stalled("SecretNotAllowed", "")}, "Throttled", true},
		{"foreign target", step{failure: stalled("TargetNotOwned", "")}, "SecretNotFound", true},
		{"unusable target", step{failure: stalled("TargetUnusable", "")}, "", true},
		{"what the object itself says", step{failure: stalled("InvalidSpec", "")}, "", false},
		{"budget", step{failure: stalled("BudgetSpent", "")}, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := &view{obj: &v1alpha1.CDPCredential{}}
			if tt.told != "" {
				v.obj.Status.Conditions = []metav1.Condition{{Type: "Refreshed", Status: metav1.ConditionFalse, Reason: tt.told}}
			}
			if got := newObstacle(v, tt.step); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestTransitionsHaveWholeSeconds: the API server gives back no fraction of a second, and a status that differs in one would be written again.
func TestTransitionsHaveWholeSeconds(t *testing.T) {
	v := &view{obj: &v1alpha1.CDPCredential{}, now: time.Date(2026, 3, 1, 0, 0, 0, 999, time.UTC)}
	set(v, &v.obj.Status, "Ready", metav1.ConditionTrue, "TokenValid", "")
	if got, want := v.obj.Status.Conditions[0].LastTransitionTime, metav1.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC); !got.Equal(&want) {
		t.Errorf("got %s, want %s", got.Format(time.RFC3339Nano), want.Format(time.RFC3339Nano))
	}
}
