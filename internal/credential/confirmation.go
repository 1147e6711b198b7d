// SPDX-License-Identifier: Apache-2.0

package credential

import "github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"

// isNewBlocker reports whether the cache shows a Secret that blocks the plan and that status does not report yet. The cache may be behind, so the API
// server is asked before the blocker is reported.
func isNewBlocker(s *State, plan Plan) bool {
	if plan.Failure == nil || plan.Failure.Reason == refreshedReason(&s.Object.Status) {
		return false
	}
	switch plan.Failure.Reason {
	case v1alpha1.ReasonSecretNotFound, v1alpha1.ReasonHostNotAllowed, v1alpha1.ReasonCANotAllowed, v1alpha1.ReasonSecretNotAllowed,
		v1alpha1.ReasonTargetNotOwned, v1alpha1.ReasonTargetUnusable:
		return true
	}
	return false
}

// HasLostSecret reports whether the client Secret or the target of an object that had a token is gone, which is about to be reported or repaired. Both
// are pointless while the whole namespace is being deleted.
func HasLostSecret(s *State, plan Plan) bool {
	if neverWritten(&s.SavedStatus) {
		return false
	}
	lostClient := plan.Failure != nil && plan.Failure.Reason == v1alpha1.ReasonSecretNotFound && refreshedReason(&s.Object.Status) != v1alpha1.ReasonSecretNotFound
	lostTarget := plan.Cause == CauseMissing && !s.Current.Found
	return lostClient || lostTarget
}

// neverWritten reports whether status knows of no target that was ever written. It has no lastRefreshTime of copied values.
func neverWritten(status *v1alpha1.CDPCredentialStatus) bool { return status.TargetName == "" }
