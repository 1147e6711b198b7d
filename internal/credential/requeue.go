// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// RequeueAfter says how soon the object is looked at again: for what is to be tried next, verifications and restarts (nextAt) included, and at the second at
// which the token expires. Zero: when something changes.
func RequeueAfter(s *State, plan Plan, result Result, nextAt time.Time, status *v1alpha1.CDPCredentialStatus) time.Duration {
	times := []time.Time{nextAt, result.At}
	if s.Current.HoldsToken(s.Now) {
		times = append(times, s.Current.Persisted.ExpiresAt)
	}
	if c := status.Contest; c != nil && !s.Object.Spec.Suspend && s.Now.Before(c.Until.Time) {
		times = append(times, c.Until.Time)
	}
	switch {
	case s.Object.Spec.Suspend:
		if status.NextRefreshTime != nil {
			times = append(times, status.NextRefreshTime.Time) // until then it would wait if it were resumed
		}
	case result.Waiting:
		if result.HeldUp != nil && !result.HeldUp.long(s.Now) {
			times = append(times, result.HeldUp.Since.Add(heldUpAfter)) // to tell of it
		}
	case result.Failure != nil:
		if result.Failure.Reason == v1alpha1.ReasonTargetContested {
			times = append(times, result.Failure.RetryAt) // the renewal, exactly
		} else if status.NextRefreshTime != nil {
			times = append(times, status.NextRefreshTime.Time)
		}
	case plan.Keep: // out.at, which knows of a clock that was set, where status may not
	case s.Current.Persisted != nil:
		times = append(times, RenewalTime(s)) // exact, where status has whole seconds
	}
	first := Sooner(times...)
	if first.IsZero() {
		return 0
	}
	return max(first.Sub(s.Now), time.Millisecond) // zero would mean never
}
