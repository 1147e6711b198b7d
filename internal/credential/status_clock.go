// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// AdoptStatus puts the times in status on the reconciler's clock.
func (c Clocks) AdoptStatus(s *State) {
	s.StatusClockAhead = c.statusAhead(s)
	shiftStatus(&s.Object.Status, -s.StatusClockAhead)
}

// statusAhead returns by how much the clock of the times in status is ahead of the reconciler's.
func (c Clocks) statusAhead(s *State) time.Duration {
	if last := s.Object.Status.LastAttempt; last != nil && last.Clock != nil {
		return c.aheadOf(*last.Clock)
	}
	if current := s.Current.Persisted; current != nil && !current.ExpiresAt.IsZero() {
		writtenTogether := s.Object.Status.TokenExpirationTime.Equal(wholeSecond(current.LocalExpiry()))
		if writtenTogether { // on one clock, however far that is off by now
			return current.ClockAhead
		}
	}
	return s.ShownClockAhead()
}

// LocalStatus returns status with its times on the clock on which they are shown.
func (c Clocks) LocalStatus(s *State, status v1alpha1.CDPCredentialStatus) v1alpha1.CDPCredentialStatus {
	shown := s.ShownClockAhead()
	shiftStatus(&status, shown)
	if last := status.LastAttempt; last != nil && (last.Clock == nil || shown != s.StatusClockAhead) {
		attempt, reading := *last, c.reading(shown)
		attempt.Clock = &reading
		status.LastAttempt = &attempt
	}
	return status
}

// shiftStatus shifts all times in status that decisions are based on. It does not change what the pointers in status point to, which others share.
func shiftStatus(status *v1alpha1.CDPCredentialStatus, by time.Duration) {
	if by == 0 {
		return
	}
	for _, t := range []**metav1.Time{&status.NextRefreshTime, &status.LastRefreshTime, &status.TokenExpirationTime, &status.RepeatedUntil} {
		if *t != nil {
			*t = new(metav1.NewTime((*t).Add(by)))
		}
	}
	if last := status.LastAttempt; last != nil && last.Time != nil {
		attempt := *last
		attempt.Time = new(metav1.NewTime(last.Time.Add(by)))
		status.LastAttempt = &attempt
	}
	if c := status.Contest; c != nil {
		status.Contest = &v1alpha1.Contest{Repairs: c.Repairs, Until: metav1.NewTime(c.Until.Add(by))}
	}
	early := status.EarlyAttempts
	status.EarlyAttempts = nil
	for _, t := range early {
		status.EarlyAttempts = append(status.EarlyAttempts, metav1.NewTime(t.Add(by)))
	}
}
