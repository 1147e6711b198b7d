// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// reportWaiting reports what is worth reporting while the exchange waits for its turn. The wait itself is not, for the first minute. But Ready may have
// become wrong, the process that wrote the token may have died before it could say so, and a rewrite has not waited. What an earlier reconcile wrote and
// could not report may have been overwritten since.
func reportWaiting(s *State, plan Plan, result Result, status *v1alpha1.CDPCredentialStatus) {
	changed := reportTargetWhileWaiting(s, result, status)
	changed = readyNeedsUpdate(s, status) || changed
	if result.HeldUp.long(s.Now) {
		changed = reportHeldUp(s, plan, result.HeldUp, status) || changed
		status.NextRefreshTime = nil // unknown
	}
	if !changed {
		return
	}
	reportReady(s, status)
	if !plan.Keep { // otherwise it says until when an earlier failure is waited out
		status.NextRefreshTime = nil
	}
}

// reportTargetWhileWaiting reports whether the target holds a token of which status did not know.
func reportTargetWhileWaiting(s *State, result Result, status *v1alpha1.CDPCredentialStatus) (unreported bool) {
	holdsOurs := s.Target.HasToken() && s.Target.Owner() == s.Object.Name
	unreported = holdsOurs && !isReported(s)
	unsaved := holdsOurs && status.TargetVersion != s.SavedStatus.TargetVersion
	if unreported || unsaved || result.Wrote {
		reportTarget(s, status)
	}
	return unreported
}

// isReported reports whether status shows the target's token. Copied values have no expiry: they are told by the target's name only.
func isReported(s *State) bool {
	status := &s.Object.Status
	return status.TargetName == s.Target.Name && status.TokenExpirationTime.Equal(wholeSecond(s.Target.Persisted.ExpiresAt))
}

// reportHeldUp reports that an exchange has waited long, and whether that is new. What the last attempt reported is more important. An exchange that is
// not a renewal is not late; for it only trouble at the endpoint is reported, as our own limits make a herd of new objects wait for minutes.
func reportHeldUp(s *State, plan Plan, h *HoldUp, status *v1alpha1.CDPCredentialStatus) bool {
	if h.By == byOurLimits && plan.Cause != CauseRenewal {
		return false
	}
	refreshed := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionRefreshed)
	if refreshed != nil && refreshed.Status == metav1.ConditionFalse && refreshed.ObservedGeneration == s.Object.Generation {
		reported := reportedHoldUp(s, refreshed)
		if failedOtherwise := reported == 0; failedOtherwise || reported >= h.By {
			return false
		}
	}
	f := h.Failure(s)
	status.ObservedGeneration = s.Object.Generation
	set(s, status, v1alpha1.ConditionRefreshed, metav1.ConditionFalse, f.Reason, f.Message)
	set(s, status, v1alpha1.ConditionReconciling, metav1.ConditionTrue, f.Reason, f.Message)
	remove(status, v1alpha1.ConditionStalled)
	return true
}

// reportedHoldUp returns the cause of the wait that a condition reports. Zero: it reports something else.
func reportedHoldUp(s *State, c *metav1.Condition) HoldUpCause {
	for by := byOurLimits; by <= byOutage; by++ {
		if c.Message == (&HoldUp{By: by}).Failure(s).Message {
			return by
		}
	}
	return 0
}
