// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"testing"
	"time"
)

// TestIssuedResultMeasuresMarginAndLateness: how long before its end the old token was replaced, and how long after that was due. The token was issued at 11:45:00 and written
// two seconds later.
func TestIssuedResultMeasuresMarginAndLateness(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		cause            Cause
		given            func(*State)
		ends, due        string
		margin, lateness time.Duration
		routine          bool
	}{
		"on time":             {CauseRenewal, func(*State) {}, "12:00:00", "11:45:00", 14*time.Minute + 58*time.Second, 0, true},
		"late":                {CauseRenewal, func(*State) {}, "12:00:00", "11:44:30", 14*time.Minute + 58*time.Second, 30 * time.Second, true},
		"due a moment later":  {CauseRenewal, func(*State) {}, "12:00:00", "11:45:01", 14*time.Minute + 58*time.Second, 0, true},
		"at the very end":     {CauseRenewal, func(*State) {}, "11:45:02", "11:40:00", 0, 5 * time.Minute, true},
		"too late":            {CauseRenewal, func(*State) {}, "11:45:01", "11:40:00", 0, 5 * time.Minute, true},
		"after a failure":     {CauseRenewal, func(s *State) { failed(s, "EndpointUnavailable", "11:45:00") }, "12:00:00", "11:40:00", 14*time.Minute + 58*time.Second, 5 * time.Minute, false},
		"nothing was due":     {CauseChanged, func(*State) {}, "12:00:00", "", 14*time.Minute + 58*time.Second, -1, false},
		"basic was before it": {CauseChanged, func(*State) {}, "", "", -1, -1, false},
		"the first token":     {CauseMissing, func(s *State) { s.Current.Persisted = nil }, "", "", -1, -1, false},
	} {
		s := steady()
		tc.given(s)
		if old := s.Current.Persisted; old != nil {
			old.ExpiresAt = timeOf(tc.ends)
		}
		p := &Publication{Persisted: PersistedState{PersistedToken: PersistedToken{IssuedAt: at("11:45:00"), ExpiresAt: at("12:45:00")}}}
		got := newIssuedToken(s, Plan{Cause: tc.cause}, p, timeOf(tc.due), at("11:45:02"))
		if got.Margin != tc.margin || got.Lateness != tc.lateness || got.Routine != tc.routine {
			t.Errorf("%s: margin %s, lateness %s, routine %v", name, got.Margin, got.Lateness, got.Routine)
		}
	}
}

// timeOf is at, and zero of nothing.
func timeOf(clock string) time.Time {
	if clock == "" {
		return time.Time{}
	}
	return at(clock)
}
