// SPDX-License-Identifier: Apache-2.0

package credential

import "github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"

// failedAttempt is what status keeps of a failed attempt. If nothing was sent, the endpoint was last asked when it was before.
func failedAttempt(s *State, plan Plan, f *Failure) *v1alpha1.Attempt {
	attempt := &v1alpha1.Attempt{
		Generation: s.Object.Generation, Asked: s.Desired.SpecHash, ClientSecretVersion: s.Client.Version, TokenRejected: plan.Cause == CauseRejected,
	}
	if f.Sent {
		attempt.Time, attempt.Rejected = roundedUp(s.Now), f.Reason == v1alpha1.ReasonCredentialsRejected
	} else if last := s.Object.Status.LastAttempt; last != nil {
		attempt.Time, attempt.Rejected = last.Time, last.Rejected
	}
	return attempt
}

// superseded is what status keeps of a failed attempt while something else is reported: when the endpoint was asked.
func superseded(last *v1alpha1.Attempt) *v1alpha1.Attempt {
	if last == nil || last.Time == nil {
		return nil
	}
	last = last.DeepCopy()
	last.Superseded = true
	return last
}

// attemptAfterSuccess is what status keeps of the last failed attempt once all is well. If no token was issued since, the change that called for the
// attempt was taken back, and the endpoint must still not be asked too soon when it comes again. A rewrite, and a flow without exchange, have asked no
// endpoint, so what they wrote does not count.
func attemptAfterSuccess(s *State, plan Plan, result Result) *v1alpha1.Attempt {
	earliest, _ := earliestAttempt(s)
	if !s.Desired.Flow.Exchanges() {
		earliest = intervalEnd(s)
	}
	gaveToken := result.Wrote && plan.Exchanges(s)
	if gaveToken || earliest.IsZero() {
		return nil
	}
	return superseded(s.Object.Status.LastAttempt)
}
