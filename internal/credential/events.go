// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// NewFailure returns the condition of this kind if it is not True for a reason that it did not have before. Nil: there is nothing new to warn of.
func NewFailure(before, after []metav1.Condition, kind string) *metav1.Condition {
	is := meta.FindStatusCondition(after, kind)
	if is == nil || is.Status == metav1.ConditionTrue {
		return nil
	}
	if was := meta.FindStatusCondition(before, kind); was != nil && was.Status == is.Status && was.Reason == is.Reason {
		return nil
	}
	return is
}

// NewRestartWarnings returns the entries with something to warn of that they did not have before. Each message is returned once.
func NewRestartWarnings(before, after []v1alpha1.RolloutRestartStatus) []v1alpha1.RolloutRestartStatus {
	var fresh []v1alpha1.RolloutRestartStatus
	for _, is := range after {
		sameWarning := func(other v1alpha1.RolloutRestartStatus) bool {
			return other.Reason == is.Reason && other.Message == is.Message
		}
		if is.Reason != "" && !slices.ContainsFunc(before, sameWarning) && !slices.ContainsFunc(fresh, sameWarning) {
			fresh = append(fresh, is)
		}
	}
	return fresh
}

// Note shortens a message to what an event's note may have.
func Note(message string) string { return shorten(message, 1000) }
