// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// ReadyIsStale reports whether status still has it that the target holds a token which is there no more.
func ReadyIsStale(s *State) bool {
	return meta.IsStatusConditionTrue(s.Object.Status.Conditions, v1alpha1.ConditionReady) && !s.Target.HoldsToken(s.Now) && !s.IsMoving() && s.Desired.Flow.Exchanges()
}

// readyNeedsUpdate reports whether Ready is no longer true, or still says that the object is suspended.
func readyNeedsUpdate(s *State, status *v1alpha1.CDPCredentialStatus) bool {
	was := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	if was == nil {
		return false
	}
	return (was.Status == metav1.ConditionTrue) != s.Target.HoldsToken(s.Now) || was.Reason == v1alpha1.ReasonSuspended && !s.Object.Spec.Suspend
}

// SetReady reports whether the target holds an unexpired token.
func SetReady(s *State, status *v1alpha1.CDPCredentialStatus) {
	truth, reason, message := metav1.ConditionFalse, v1alpha1.ReasonNoToken, "The target Secret holds no token yet"+next(s, status)
	switch {
	case !s.Target.HasToken() || s.Target.Owner() != s.Object.Name:
	case s.Target.Persisted.Expired(s.Now):
		reason, message = v1alpha1.ReasonTokenExpired, tokenExpired+next(s, status)
	default:
		truth, reason, message = metav1.ConditionTrue, v1alpha1.ReasonTokenValid, "The target Secret holds a valid token"
		if !s.Desired.Flow.Exchanges() {
			message = "The target Secret holds the credentials"
		}
	}
	sayReady(s, status, truth, reason, message)
}

const tokenExpired = "The token in the target Secret has expired"

// sayReady sets Ready, and the one reason to look at first. While suspended that is the reason of both.
func sayReady(s *State, status *v1alpha1.CDPCredentialStatus, truth metav1.ConditionStatus, reason, message string) {
	if s.Object.Spec.Suspend {
		reason, message = v1alpha1.ReasonSuspended, message+"; refreshing is suspended by spec.suspend"
	}
	set(s, status, v1alpha1.ConditionReady, truth, reason, message)
	status.Reason = summary(s.Object.Spec.Suspend, status)
}

// next says what is to be expected of an object without a token. It points to the condition Refreshed only where that says what is wrong.
func next(s *State, status *v1alpha1.CDPCredentialStatus) string {
	switch {
	case RefreshedReason(status) != "":
		return ": see the condition Refreshed"
	case s.Object.Spec.Suspend:
		return ""
	}
	return ": a new one is on its way"
}
