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
