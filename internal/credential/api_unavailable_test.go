package credential

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TestExpiryIsReportedOnce: a pass that the API server has interrupted turns Ready False at the same fraction of a second as every other pass. Else
// Ready would be False, True and False again within that second.
func TestExpiryIsReportedOnce(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		told, now string
		record    string
		ready     bool
		wakeAt    string
	}{
		"long before":                      {told: "12:00:00", record: "12:00:00.5", now: "11:50:00", ready: true, wakeAt: "12:00:00.5"},
		"in its last second":               {told: "12:00:00", record: "12:00:00.5", now: "12:00:00.4", ready: true, wakeAt: "12:00:00.5"},
		"at its end":                       {told: "12:00:00", record: "12:00:00.5", now: "12:00:00.5"},
		"the cache shows no target":        {told: "12:00:00", now: "12:00:00"},
		"the cache shows another's record": {told: "12:00:00", record: "11:00:00.5", now: "11:59:59", ready: true, wakeAt: "12:00:00"},
		"which ends later":                 {told: "12:00:00", record: "13:00:00.5", now: "12:00:00"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := steady()
			written(s)
			status := s.Object.Status.DeepCopy()
			status.TokenExpirationTime = second(tc.told)
			s.Current.Persisted = nil
			if tc.record != "" {
				s.Current.Persisted = &PersistedState{ExpiresAt: at(tc.record)}
			}
			s.Now = at(tc.now)
			got := ReportExpiry(s, status)
			var want time.Time
			if tc.wakeAt != "" {
				want = at(tc.wakeAt)
			}
			if ready := isReady(status); ready != tc.ready || !got.Equal(want) {
				t.Errorf("Ready is %v, and it wakes at %s", ready, got)
			}
		})
	}
}

func isReady(status *v1alpha1.CDPCredentialStatus) bool {
	return meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady)
}
