// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// StatusOverwritten reports whether status tells less than it did, or gives another reason: somebody took it away, or a former leader that was paused
// has written what it found before. Nothing else would have it written again. A new reason of our own costs a reconcile that finds nothing to do.
func StatusOverwritten(before, after metav1.Object) bool {
	was, ok := before.(*v1alpha1.CDPCredential)
	is, also := after.(*v1alpha1.CDPCredential)
	if !ok || !also {
		return false
	}
	for _, lost := range []func(was, is *v1alpha1.CDPCredential) bool{generationWentBack, lastRefreshWentBack, readyTakenBack, refreshedReasonChanged, verifiedReasonChanged} {
		if lost(was, is) {
			return true
		}
	}
	return false
}

func generationWentBack(was, is *v1alpha1.CDPCredential) bool {
	return is.Status.ObservedGeneration < was.Status.ObservedGeneration
}

func lastRefreshWentBack(was, is *v1alpha1.CDPCredential) bool {
	return is.Status.LastRefreshTime.Before(was.Status.LastRefreshTime) && !newerTarget(was, is)
}

func readyTakenBack(was, is *v1alpha1.CDPCredential) bool {
	const ready = v1alpha1.ConditionReady
	return meta.IsStatusConditionTrue(was.Status.Conditions, ready) && !meta.IsStatusConditionTrue(is.Status.Conditions, ready)
}

func refreshedReasonChanged(was, is *v1alpha1.CDPCredential) bool {
	return reasonChanged(was, is, v1alpha1.ConditionRefreshed)
}

func verifiedReasonChanged(was, is *v1alpha1.CDPCredential) bool {
	return reasonChanged(was, is, v1alpha1.ConditionVerified)
}

// newerTarget reports whether status tells of a later write of the target. Its time of the last token is then only on another clock, which may be behind.
func newerTarget(was, is *v1alpha1.CDPCredential) bool {
	_, before := SplitVersion(was.Status.TargetVersion)
	_, after := SplitVersion(is.Status.TargetVersion)
	return Older(before, after)
}

// reasonChanged reports whether a condition that there was has got another reason.
func reasonChanged(was, is *v1alpha1.CDPCredential, kind string) bool {
	before, after := meta.FindStatusCondition(was.Status.Conditions, kind), meta.FindStatusCondition(is.Status.Conditions, kind)
	return before != nil && after != nil && before.Reason != after.Reason
}
