// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// reportVerification puts the API's answer into status. Without an answer, an earlier one stays.
func reportVerification(s *State, plan Plan, result Result, tried *Verification, status *v1alpha1.CDPCredentialStatus) {
	if s.Object.Spec.Verify == nil {
		remove(status, v1alpha1.ConditionVerified)
		return
	}
	noNewToken := plan.Keep || result.Failure != nil
	if tried == nil && s.Rejected && noNewToken {
		tried = rejectedWithoutSuccessor()
	}
	before := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionVerified)
	if !isNews(tried, before) {
		return
	}
	message := tried.Message
	if tried.Status != metav1.ConditionTrue {
		message = steadyMessage(before, s.Object.Generation, &Failure{Reason: tried.Reason, Message: tried.Message, Correlation: tried.Correlation})
	}
	set(s, status, v1alpha1.ConditionVerified, tried.Status, tried.Reason, message)
}

// isNews reports whether a verification has something to say that replaces the condition before it.
func isNews(tried *Verification, before *metav1.Condition) bool {
	if tried == nil || tried.Reason == "" {
		return false
	}
	answeredBefore := before != nil && !neverCalled(before.Reason)
	return !tried.Undecided || !answeredBefore
}

func rejectedWithoutSuccessor() *Verification {
	return &Verification{
		Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonTokenRejected,
		Message: "the API does not accept the token, and there is no new one: see the condition Refreshed",
	}
}
