// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// NewStatus says in status what a pass has found and done. It is pure: the view is that of after the pass.
func NewStatus(s *State, plan Plan, result Result, tried *Verification) v1alpha1.CDPCredentialStatus {
	status := *s.Object.Status.DeepCopy()
	if result.Waiting {
		reportWaiting(s, plan, result, &status)
		return status
	}
	status.ObservedGeneration = s.Object.Generation
	if s.Desired.Flow.Provider != "" {
		status.Provider = s.Desired.Flow.Provider
	}
	reportTarget(s, &status)
	if count := IssuedToday(s); count.Count > 0 {
		status.Issuance = &count
	}
	switch {
	case result.Wrote:
		status.WriteRefusals = 0
	case result.Unwritable:
		status.WriteRefusals++
	}
	if !s.Object.Spec.Suspend {
		status.Contest = contestAfter(s, plan, result)
		reportRefresh(s, plan, result, &status)
		reportVerification(s, plan, result, tried, &status)
	} else {
		reportSuspended(s, &status)
	}
	SetReady(s, &status)
	return status
}

// reportSuspended takes out of status what is not waited for any more, nor tried.
func reportSuspended(s *State, status *v1alpha1.CDPCredentialStatus) {
	remove(status, v1alpha1.ConditionReconciling)
	remove(status, v1alpha1.ConditionStalled)
	if s.Object.Spec.Verify == nil {
		remove(status, v1alpha1.ConditionVerified)
	}
	if next := status.NextRefreshTime; next != nil && (RefreshedReason(status) != v1alpha1.ReasonThrottled || !s.Now.Before(next.Time)) {
		status.NextRefreshTime = nil
	} // else it still waits as long as it was told to when it is resumed
}

// reportRefresh says how the last attempt went and when the next one is.
func reportRefresh(s *State, plan Plan, result Result, status *v1alpha1.CDPCredentialStatus) {
	switch {
	case result.Failure != nil:
		reportFailure(s, plan, result.Failure, status)
	case plan.Keep:
		// An earlier failure is being waited out: what was said of it stays true.
		retarget(status, s.Object.Generation)
	default:
		if result.Wrote {
			status.EarlyAttempts = earlyAttempts(s)
			if plan.Early {
				status.EarlyAttempts = append(status.EarlyAttempts, *roundedUp(s.Now))
			}
		}
		status.LastAttempt = attemptLeft(s, result)
		status.Failures, status.RefreshPending = 0, false
		if status.Contest != nil {
			tellFailure(s, contested(s, status.Contest), status)
			return
		}
		status.NextRefreshTime = nil
		if s.Current.Persisted != nil {
			status.NextRefreshTime = wholeSecond(RenewalTime(s))
		}
		if request := RefreshRequest(s.Object); result.Repeated && request != "" {
			status.LastHandledRefreshRequest = request // which no record tells of
		}
		set(s, status, v1alpha1.ConditionRefreshed, metav1.ConditionTrue, v1alpha1.ReasonTokenIssued, issuedMessage(s))
		remove(status, v1alpha1.ConditionStalled)
		remove(status, v1alpha1.ConditionReconciling)
	}
}

func issuedMessage(s *State) string {
	if !s.Desired.Flow.Exchanges() {
		return "The credentials were written to the target Secret"
	}
	return "The last token was issued and written to the target Secret"
}

func reportFailure(s *State, plan Plan, f *Failure, status *v1alpha1.CDPCredentialStatus) {
	if f.Attempted {
		if failureClass(RefreshedReason(status)) != failureClass(f.Reason) {
			status.Failures = 0
		}
		status.Failures++
		status.LastAttempt = attemptOf(s, plan, f)
		if request := RefreshRequest(s.Object); request != "" && request != status.LastHandledRefreshRequest {
			status.LastHandledRefreshRequest = request
		}
		status.RefreshPending = status.RefreshPending || plan.Cause == CauseRequested
	} else if f.RetryAt.IsZero() || f.Reason == v1alpha1.ReasonTargetContested {
		status.Failures = 0
		status.LastAttempt = superseded(status.LastAttempt)
	}
	if f.WriteRefused {
		status.WriteRefusals++
	}
	if plan.Early && f.Sent {
		status.EarlyAttempts = append(earlyAttempts(s), *roundedUp(s.Now))
	}
	tellFailure(s, f, status)
}

// tellFailure puts a failure into the conditions, and when it is tried again.
func tellFailure(s *State, f *Failure, status *v1alpha1.CDPCredentialStatus) {
	status.NextRefreshTime = nil
	if !f.RetryAt.IsZero() {
		status.NextRefreshTime = roundedUp(f.RetryAt) // an endpoint that says two seconds must not be asked after one and a half
	}
	message := steadyAgainst(meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionRefreshed), s.Object.Generation, f)
	set(s, status, v1alpha1.ConditionRefreshed, metav1.ConditionFalse, f.Reason, message)
	present, absent := v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled
	if f.Stalled {
		present, absent = absent, present
	}
	set(s, status, present, metav1.ConditionTrue, f.Reason, message)
	remove(status, absent)
}

// attemptOf is what status keeps of a failed attempt. What was not sent leaves the endpoint's peace as it is.
func attemptOf(s *State, plan Plan, f *Failure) *v1alpha1.Attempt {
	a := &v1alpha1.Attempt{
		Generation: s.Object.Generation, Asked: s.Desired.SpecHash, ClientSecretVersion: s.Client.Version, TokenRejected: plan.Cause == CauseRejected,
	}
	if f.Sent {
		a.Time, a.Rejected = roundedUp(s.Now), f.Reason == v1alpha1.ReasonCredentialsRejected
	} else if last := s.Object.Status.LastAttempt; last != nil {
		a.Time, a.Rejected = last.Time, last.Rejected
	}
	return a
}

// superseded is what is kept of a failed attempt while something else is in the way: when the endpoint was asked.
func superseded(last *v1alpha1.Attempt) *v1alpha1.Attempt {
	if last == nil || last.Time == nil {
		return nil
	}
	last = last.DeepCopy()
	last.Superseded = true
	return last
}

// attemptLeft is what is kept of the last failed attempt while all is well. Nil: nothing. What has called for the attempt was taken back; if it comes
// again, the endpoint is still not to be asked too soon. What basic writes has been asked of nobody.
func attemptLeft(s *State, result Result) *v1alpha1.Attempt {
	earliest, _ := EarliestAttempt(s)
	if !s.Desired.Flow.Exchanges() {
		earliest = spaced(s)
	} else if result.Wrote {
		return nil
	}
	if earliest.IsZero() {
		return nil
	}
	return superseded(s.Object.Status.LastAttempt)
}
