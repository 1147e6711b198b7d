// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// steadyAgainst keeps the correlation id of the first failure of its kind in the message, so that it does not flap from attempt to attempt.
func steadyAgainst(was *metav1.Condition, generation int64, f *Failure) string {
	message := Shorten(f.Message, maxMessage)
	if was != nil && was.Reason == f.Reason && was.ObservedGeneration == generation && was.Message == message {
		return message
	}
	correlation := f.Correlation
	if was != nil && was.Reason == f.Reason {
		if _, first, ok := strings.Cut(was.Message, correlationText); ok {
			correlation = strings.TrimSuffix(first, ")")
		}
	}
	if correlation != "" {
		message += correlationText + correlation + ")"
	}
	return message
}

const (
	correlationText = " (correlation id "
	// maxMessage is well below what the API allows for a condition's message.
	maxMessage = 2048
)

func set(s *State, status *v1alpha1.CDPCredentialStatus, kind string, truth metav1.ConditionStatus, reason, message string) {
	condition := metav1.Condition{
		Type: kind, Status: truth, Reason: reason, Message: message, ObservedGeneration: s.Object.Generation,
		// As the API server will give it back: else a status whose answer was lost would be written again.
		LastTransitionTime: metav1.NewTime(s.Now.Add(s.ShownClockAhead())).Rfc3339Copy(),
	}
	meta.SetStatusCondition(&status.Conditions, condition)
}

func remove(status *v1alpha1.CDPCredentialStatus, kind string) {
	status.Conditions = slices.DeleteFunc(status.Conditions, func(c metav1.Condition) bool { return c.Type == kind })
}

// retarget stamps the conditions that stay as they are with the generation that they are still true for.
func retarget(status *v1alpha1.CDPCredentialStatus, generation int64) {
	for i := range status.Conditions {
		switch status.Conditions[i].Type {
		case v1alpha1.ConditionRefreshed, v1alpha1.ConditionStalled, v1alpha1.ConditionReconciling:
			status.Conditions[i].ObservedGeneration = generation
		}
	}
}

// summary is the one reason to look at first.
func summary(suspended bool, status *v1alpha1.CDPCredentialStatus) string {
	if suspended {
		return v1alpha1.ReasonSuspended
	}
	if c := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionVerified); c != nil && c.Status == metav1.ConditionFalse {
		return c.Reason
	}
	if c := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionRefreshed); c != nil {
		return c.Reason
	}
	return ""
}

// RefreshedReason is empty unless the last attempt failed.
func RefreshedReason(status *v1alpha1.CDPCredentialStatus) string {
	if c := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionRefreshed); c != nil && c.Status == metav1.ConditionFalse {
		return c.Reason
	}
	return ""
}
