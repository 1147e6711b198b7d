// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

const (
	correlationText = " (correlation id "
	// maxMessage is well below what the API allows for a condition's message.
	maxMessage = 2048
)

// steadyMessage returns the message of a failure with the correlation ID of the first failure of its kind, so that it does not change from attempt to
// attempt.
func steadyMessage(before *metav1.Condition, generation int64, f *Failure) string {
	message := shorten(f.Message, maxMessage)
	sameReason := before != nil && before.Reason == f.Reason
	if sameReason && before.ObservedGeneration == generation && before.Message == message {
		return message
	}
	correlation := f.Correlation
	if sameReason {
		if _, first, ok := strings.Cut(before.Message, correlationText); ok {
			correlation = strings.TrimSuffix(first, ")")
		}
	}
	if correlation != "" {
		message += correlationText + correlation + ")"
	}
	return message
}

func set(s *State, status *v1alpha1.CDPCredentialStatus, kind string, truth metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&status.Conditions, metav1.Condition{
		Type: kind, Status: truth, Reason: reason, Message: message, ObservedGeneration: s.Object.Generation,
		// In the precision of the API, or a status whose patch got no answer would be written again.
		LastTransitionTime: metav1.NewTime(s.Now.Add(s.ShownClockAhead())).Rfc3339Copy(),
	})
}

func remove(status *v1alpha1.CDPCredentialStatus, kind string) {
	status.Conditions = slices.DeleteFunc(status.Conditions, func(c metav1.Condition) bool { return c.Type == kind })
}

// retarget says that the conditions of an attempt are still true for a new generation of the object.
func retarget(status *v1alpha1.CDPCredentialStatus, generation int64) {
	for i := range status.Conditions {
		switch status.Conditions[i].Type {
		case v1alpha1.ConditionRefreshed, v1alpha1.ConditionStalled, v1alpha1.ConditionReconciling:
			status.Conditions[i].ObservedGeneration = generation
		}
	}
}

// summary is the reason that a user should look at first.
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

// refreshedReason returns why the last attempt failed. Empty: it did not.
func refreshedReason(status *v1alpha1.CDPCredentialStatus) string {
	if c := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionRefreshed); c != nil && c.Status == metav1.ConditionFalse {
		return c.Reason
	}
	return ""
}
