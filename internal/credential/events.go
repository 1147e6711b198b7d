// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// NewFailure is the condition of the kind if it has a reason to warn of that it did not have before.
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

// NewRestartWarnings are the entries that have something to warn of that they did not have before, each message once.
func NewRestartWarnings(before, after []v1alpha1.RolloutRestartStatus) []v1alpha1.RolloutRestartStatus {
	var fresh []v1alpha1.RolloutRestartStatus
	for i := range after {
		is := &after[i]
		same := func(s v1alpha1.RolloutRestartStatus) bool { return s.Reason == is.Reason && s.Message == is.Message }
		if is.Reason != "" && !slices.ContainsFunc(before, same) && !slices.ContainsFunc(fresh, same) {
			fresh = append(fresh, *is)
		}
	}
	return fresh
}

// Note is a message as long as an event's note may be.
func Note(message string) string { return Shorten(message, 1000) }
