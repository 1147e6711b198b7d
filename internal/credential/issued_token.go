// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"
)

// NewIssuedToken compares a token that was issued and published with the one before, which s still has.
func NewIssuedToken(s *State, plan Plan, p *Publication, now time.Time) *IssuedToken {
	var due time.Time
	if s.Current.Persisted != nil && plan.Cause == CauseRenewal {
		due = renewalTime(s)
	}
	return newIssuedToken(s, plan, p, due, now)
}

func newIssuedToken(s *State, plan Plan, p *Publication, due, now time.Time) *IssuedToken {
	previous := s.Current.Persisted
	issued := &IssuedToken{
		Routine: plan.Cause == CauseRenewal && refreshedReason(&s.Object.Status) == "",
		Skew:    p.Token.Life.Skew, Warnings: newWarnings(s, previous, p), Margin: -1, Lateness: -1,
	}
	if previous != nil && !previous.ExpiresAt.IsZero() {
		issued.Margin = max(previous.ExpiresAt.Sub(now), 0)
	}
	if !due.IsZero() {
		issued.Lateness = max(p.Persisted.IssuedAt.Sub(due), 0)
	}
	return issued
}
