// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// reportRefresh says how the last attempt went, and when the next one is.
func reportRefresh(s *State, plan Plan, result Result, status *v1alpha1.CDPCredentialStatus) {
	switch {
	case result.Failure != nil:
		reportFailure(s, plan, result.Failure, status)
	case plan.Keep: // an earlier failure is being waited out, and its report stays true
		retarget(status, s.Object.Generation)
	default:
		reportSuccess(s, plan, result, status)
	}
}

// reportSuccess says that the target is as it should be. During a contest that is not expected to last.
func reportSuccess(s *State, plan Plan, result Result, status *v1alpha1.CDPCredentialStatus) {
	if result.Wrote {
		status.EarlyAttempts = earlyAttempts(s)
		if plan.Early {
			status.EarlyAttempts = append(status.EarlyAttempts, *roundedUp(s.Now))
		}
	}
	status.LastAttempt = attemptAfterSuccess(s, plan, result)
	status.Failures, status.RefreshPending = 0, false
	if status.Contest != nil {
		setFailed(s, contested(s, status.Contest), status)
		return
	}
	status.NextRefreshTime = nil
	if s.Current.Persisted != nil {
		status.NextRefreshTime = wholeSecond(renewalTime(s))
	}
	if request := refreshRequest(s.Object); result.Repeated && request != "" {
		status.LastHandledRefreshRequest = request // nothing was written, so the target does not have it
	}
	set(s, status, v1alpha1.ConditionRefreshed, metav1.ConditionTrue, v1alpha1.ReasonTokenIssued, issuedMessage(s))
	remove(status, v1alpha1.ConditionStalled)
	remove(status, v1alpha1.ConditionReconciling)
}

func issuedMessage(s *State) string {
	if !s.Desired.Flow.Exchanges() {
		return "The credentials were written to the target Secret"
	}
	return "The last token was issued and written to the target Secret"
}

func reportFailure(s *State, plan Plan, f *Failure, status *v1alpha1.CDPCredentialStatus) {
	blocked := f.RetryAt.IsZero() || f.Reason == v1alpha1.ReasonTargetContested
	switch {
	case f.Attempted:
		reportFailedAttempt(s, plan, f, status)
	case blocked:
		status.Failures = 0
		status.LastAttempt = superseded(status.LastAttempt)
	}
	if f.WriteRefused {
		status.WriteRefusals++
	}
	if plan.Early && f.Sent {
		status.EarlyAttempts = append(earlyAttempts(s), *roundedUp(s.Now))
	}
	setFailed(s, f, status)
}

// reportFailedAttempt counts the failure, and the refresh request that the attempt was made for as handled.
func reportFailedAttempt(s *State, plan Plan, f *Failure, status *v1alpha1.CDPCredentialStatus) {
	status.Failures = consecutiveFailures(s, f.Reason) + 1
	status.LastAttempt = failedAttempt(s, plan, f)
	if request := refreshRequest(s.Object); request != "" {
		status.LastHandledRefreshRequest = request
	}
	status.RefreshPending = status.RefreshPending || plan.Cause == CauseRequested
}

// setFailed sets the conditions of a failure, and when it is retried.
func setFailed(s *State, f *Failure, status *v1alpha1.CDPCredentialStatus) {
	status.NextRefreshTime = nil
	if !f.RetryAt.IsZero() {
		status.NextRefreshTime = roundedUp(f.RetryAt) // an endpoint that demands two seconds must not be asked after one and a half
	}
	message := steadyMessage(meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionRefreshed), s.Object.Generation, f)
	set(s, status, v1alpha1.ConditionRefreshed, metav1.ConditionFalse, f.Reason, message)
	present, absent := v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled
	if f.Stalled {
		present, absent = absent, present
	}
	set(s, status, present, metav1.ConditionTrue, f.Reason, message)
	remove(status, absent)
}

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
