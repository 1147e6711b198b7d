// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// StatusOverwritten reports whether an update of an object took back what status said: somebody cleared it, or a deposed leader wrote what it had
// observed earlier. Only a reconcile repairs that. Our own patches of a reason look the same, and cost a reconcile that finds nothing to do.
func StatusOverwritten(before, after metav1.Object) bool {
	was, ok := before.(*v1alpha1.CDPCredential)
	if !ok {
		return false
	}
	is, ok := after.(*v1alpha1.CDPCredential)
	if !ok {
		return false
	}
	return generationWentBack(was, is) || lastRefreshWentBack(was, is) || onAnotherClock(was, is) || readyTakenBack(was, is) ||
		reasonChanged(was, is, v1alpha1.ConditionRefreshed) || reasonChanged(was, is, v1alpha1.ConditionVerified)
}

func generationWentBack(was, is *v1alpha1.CDPCredential) bool {
	return is.Status.ObservedGeneration < was.Status.ObservedGeneration
}

// lastRefreshWentBack ignores the time beside a newer target: that was only written on another clock.
func lastRefreshWentBack(was, is *v1alpha1.CDPCredential) bool {
	return is.Status.LastRefreshTime.Before(was.Status.LastRefreshTime) && !hasNewerTarget(was, is)
}

// onAnotherClock reports whether the time of the same token is another one.
func onAnotherClock(was, is *v1alpha1.CDPCredential) bool {
	sameTarget := was.Status.TargetVersion != "" && was.Status.TargetVersion == is.Status.TargetVersion
	return sameTarget && !is.Status.LastRefreshTime.Equal(was.Status.LastRefreshTime)
}

func hasNewerTarget(was, is *v1alpha1.CDPCredential) bool {
	_, before := SplitVersion(was.Status.TargetVersion)
	_, after := SplitVersion(is.Status.TargetVersion)
	return Older(before, after)
}

func readyTakenBack(was, is *v1alpha1.CDPCredential) bool {
	const ready = v1alpha1.ConditionReady
	return meta.IsStatusConditionTrue(was.Status.Conditions, ready) && !meta.IsStatusConditionTrue(is.Status.Conditions, ready)
}

// reasonChanged reports whether both have the condition, with different reasons.
func reasonChanged(was, is *v1alpha1.CDPCredential, kind string) bool {
	before, after := meta.FindStatusCondition(was.Status.Conditions, kind), meta.FindStatusCondition(is.Status.Conditions, kind)
	return before != nil && after != nil && before.Reason != after.Reason
}
