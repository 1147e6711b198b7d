// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// AdoptStatus puts the times of status on Clock.
func (c Clocks) AdoptStatus(s *State) {
	s.StatusClockAhead = s.ShownClockAhead()
	last, rec := s.Object.Status.LastAttempt, s.Current.Persisted
	switch {
	case last != nil && last.Clock != nil:
		s.StatusClockAhead = c.aheadOf(*last.Clock)
	case rec != nil && !rec.ExpiresAt.IsZero() && s.Object.Status.TokenExpirationTime.Equal(wholeSecond(rec.LocalExpiry())):
		s.StatusClockAhead = rec.ClockAhead // both were written on one clock, however far that is off by now
	}
	moveStatus(&s.Object.Status, -s.StatusClockAhead)
}

// LocalStatus is status with its times on the local clock.
func (c Clocks) LocalStatus(s *State, status v1alpha1.CDPCredentialStatus) v1alpha1.CDPCredentialStatus {
	shown := s.ShownClockAhead()
	moveStatus(&status, shown)
	if last := status.LastAttempt; last != nil && (last.Clock == nil || shown != s.StatusClockAhead) {
		attempt, reading := *last, c.reading(shown)
		attempt.Clock = &reading
		status.LastAttempt = &attempt
	}
	return status
}

// moveStatus moves the times that passes decide by and change.
func moveStatus(status *v1alpha1.CDPCredentialStatus, by time.Duration) {
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
