// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// Immediately is the RequeueAfter of what is to be done at once, but in a reconcile of its own: zero would mean never.
const Immediately = time.Millisecond

// RequeueAfter returns how soon the object has to be reconciled again: when the token expires or a contest ends, when verification, restarts or stale
// targets need it (nextAt), and when the token is next attempted. Zero: when something changes.
func RequeueAfter(s *State, plan Plan, result Result, nextAt time.Time, status *v1alpha1.CDPCredentialStatus) time.Duration {
	first := Earliest(nextAt, result.At, expiryAt(s), contestEnd(s, status), nextAttempt(s, plan, result, status))
	if first.IsZero() {
		return 0
	}
	return max(first.Sub(s.Now), Immediately)
}

func expiryAt(s *State) time.Time {
	if !s.Current.HoldsToken(s.Now) {
		return time.Time{}
	}
	return s.Current.Persisted.ExpiresAt
}

func contestEnd(s *State, status *v1alpha1.CDPCredentialStatus) time.Time {
	c := status.Contest
	if c == nil || s.Object.Spec.Suspend || !s.Now.Before(c.Until.Time) {
		return time.Time{}
	}
	return c.Until.Time
}

// nextAttempt returns when the token is next attempted, or what is reported of it changes. Zero: not before something changes, or at result.At.
func nextAttempt(s *State, plan Plan, result Result, status *v1alpha1.CDPCredentialStatus) time.Time {
	switch {
	case s.Object.Spec.Suspend:
		return nextRefresh(status) // until then, a resumed object would have to wait
	case result.Waiting:
		if result.HeldUp != nil && !result.HeldUp.long(s.Now) {
			return result.HeldUp.Since.Add(heldUpAfter) // to report it
		}
	case result.Failure != nil:
		if result.Failure.Reason == v1alpha1.ReasonTargetContested {
			return result.Failure.RetryAt // exact, while status has whole seconds
		}
		return nextRefresh(status)
	case plan.Keep: // result.At knows the clock, if that was set, better than status
	case s.Current.Persisted != nil:
		return renewalTime(s) // exact, while status has whole seconds
	}
	return time.Time{}
}

func nextRefresh(status *v1alpha1.CDPCredentialStatus) time.Time {
	if status.NextRefreshTime == nil {
		return time.Time{}
	}
	return status.NextRefreshTime.Time
}

// UrgentWithin is how soon a token must expire for its object to be reconciled before others.
const UrgentWithin = 10 * time.Minute

// QueuePriority returns an object's priority in the queue at a time: higher the sooner the token expires; zero beyond ten minutes.
func QueuePriority(expires *metav1.Time, at time.Time) int {
	if expires == nil {
		return 0
	}
	left := min(max(expires.Sub(at), 0), UrgentWithin)
	return int((UrgentWithin - left) / time.Second)
}
