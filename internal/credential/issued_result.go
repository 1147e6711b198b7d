// SPDX-License-Identifier: Apache-2.0

package credential

import "time"

// ReportIssued says of a token that was issued and published how it compares to the one before, which s still has.
func ReportIssued(s *State, plan Plan, p *Publication, now time.Time, result *Result) {
	due := time.Time{}
	if s.Current.Persisted != nil && plan.Cause == CauseRenewal {
		due = RenewalTime(s)
	}
	reportIssued(s, plan, p, s.Current.Persisted, due, now, result)
}

func reportIssued(s *State, plan Plan, p *Publication, old *PersistedState, due, now time.Time, result *Result) {
	result.Issued, result.Margin, result.Lateness = true, -1, -1
	result.Routine = plan.Cause == CauseRenewal && RefreshedReason(&s.Object.Status) == ""
	if old != nil && !old.ExpiresAt.IsZero() {
		result.Margin = max(old.ExpiresAt.Sub(now), 0)
	}
	if !due.IsZero() {
		result.Lateness = max(p.Persisted.IssuedAt.Sub(due), 0)
	}
	result.Skew = p.Token.Life.Skew
	result.Warnings = NewWarnings(s, old, p)
}
