// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// NewStatus returns the status after a reconcile, from the state at its end, what was planned and what came of it.
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
	if count := issuedToday(s); count.Count > 0 {
		status.Issuance = &count
	}
	switch {
	case result.Wrote:
		status.WriteRefusals = 0
	case result.Unwritable:
		status.WriteRefusals++
	}
	if s.Object.Spec.Suspend {
		reportSuspended(s, &status)
	} else {
		status.Contest = contestAfter(s, plan, result)
		reportRefresh(s, plan, result, &status)
		reportVerification(s, plan, result, tried, &status)
	}
	reportReady(s, &status)
	return status
}

// reportSuspended removes what is neither waited for nor tried any more. A throttled client has to wait out its Retry-After even if it is resumed.
func reportSuspended(s *State, status *v1alpha1.CDPCredentialStatus) {
	remove(status, v1alpha1.ConditionReconciling)
	remove(status, v1alpha1.ConditionStalled)
	if s.Object.Spec.Verify == nil {
		remove(status, v1alpha1.ConditionVerified)
	}
	next := status.NextRefreshTime
	stillThrottled := next != nil && s.Now.Before(next.Time) && refreshedReason(status) == v1alpha1.ReasonThrottled
	if !stillThrottled {
		status.NextRefreshTime = nil
	}
}
