// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

const tokenExpired = "The token in the target Secret has expired"

// reportReady says whether the target holds a token that has not expired.
func reportReady(s *State, status *v1alpha1.CDPCredentialStatus) {
	switch {
	case !s.Target.HasToken() || s.Target.Owner() != s.Object.Name:
		setReady(s, status, metav1.ConditionFalse, v1alpha1.ReasonNoToken, "The target Secret holds no token yet"+whatNext(s, status))
	case s.Target.Persisted.Expired(s.Now):
		setReady(s, status, metav1.ConditionFalse, v1alpha1.ReasonTokenExpired, tokenExpired+whatNext(s, status))
	case !s.Desired.Flow.Exchanges():
		setReady(s, status, metav1.ConditionTrue, v1alpha1.ReasonTokenValid, "The target Secret holds the credentials")
	default:
		setReady(s, status, metav1.ConditionTrue, v1alpha1.ReasonTokenValid, "The target Secret holds a valid token")
	}
}

// setReady sets Ready, and the summary in status.reason. While suspended, that is the reason of both.
func setReady(s *State, status *v1alpha1.CDPCredentialStatus, truth metav1.ConditionStatus, reason, message string) {
	if s.Object.Spec.Suspend {
		reason, message = v1alpha1.ReasonSuspended, message+"; refreshing is suspended by spec.suspend"
	}
	set(s, status, v1alpha1.ConditionReady, truth, reason, message)
	status.Reason = summary(s.Object.Spec.Suspend, status)
}

// whatNext says what to expect of an object without a token. It points to the condition Refreshed only if that says what is wrong.
func whatNext(s *State, status *v1alpha1.CDPCredentialStatus) string {
	switch {
	case refreshedReason(status) != "":
		return ": see the condition Refreshed"
	case s.Object.Spec.Suspend:
		return ""
	}
	return ": a new one is on its way"
}

// readyIsStale reports whether status still claims a token that the target does not hold any more.
func readyIsStale(s *State) bool {
	claimed := meta.IsStatusConditionTrue(s.Object.Status.Conditions, v1alpha1.ConditionReady)
	return claimed && !s.Target.HoldsToken(s.Now) && !s.IsMoving() && s.Desired.Flow.Exchanges()
}

// MustReportLoss reports whether status has to say that the target holds no token before the plan is carried out, which may take a while.
func MustReportLoss(s *State, plan Plan) bool { return plan.Action == ActionIssue && readyIsStale(s) }

// LossStatus is the status that says so.
func LossStatus(s *State) v1alpha1.CDPCredentialStatus {
	status := *s.Object.Status.DeepCopy()
	reportReady(s, &status)
	status.NextRefreshTime = nil // it is now
	return status
}

// readyNeedsUpdate reports whether Ready is wrong, or still says that the object is suspended.
func readyNeedsUpdate(s *State, status *v1alpha1.CDPCredentialStatus) bool {
	ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	if ready == nil {
		return false
	}
	wrong := (ready.Status == metav1.ConditionTrue) != s.Target.HoldsToken(s.Now)
	resumed := ready.Reason == v1alpha1.ReasonSuspended && !s.Object.Spec.Suspend
	return wrong || resumed
}
