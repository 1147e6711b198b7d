// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// reportWaiting says what there is to say while the exchange waits for its turn. That is no news. But a Ready that is no longer true is, and a token
// that was written by a process that died before it could say so, and a wait of more than a minute.
func reportWaiting(s *State, plan Plan, result Result, status *v1alpha1.CDPCredentialStatus) {
	holds := s.Target.HasToken() && s.Target.Owner() == s.Object.Name
	untold := holds && // basic's credentials have no expiry that could tell
		(status.TargetName != s.Target.Name || !status.TokenExpirationTime.Equal(wholeSecond(s.Target.Persisted.ExpiresAt)))
	unsaved := holds && status.TargetVersion != s.SavedStatus.TargetVersion // of an earlier pass; another process may have written the target since
	if untold || unsaved || result.Wrote {                                  // what needs no exchange has not waited for it
		reportTarget(s, status)
	}
	news := untold || readyNeedsUpdate(s, status)
	if result.HeldUp.long(s.Now) {
		news = reportHeldUp(s, plan, result.HeldUp, status) || news
		status.NextRefreshTime = nil // nobody knows
	}
	if news {
		SetReady(s, status)
		if !plan.Keep { // else an earlier failure is waited out until then, and something else waits here
			status.NextRefreshTime = nil // what it was is over, or later than what is waited for
		}
	}
}

// reportHeldUp tells that an exchange has waited long, once. What an attempt came to, and was told, says more. What has no due time is not late:
// only the endpoint's trouble is told of it, since our own limits may make a herd of new objects wait for minutes.
func reportHeldUp(s *State, plan Plan, h *HoldUp, status *v1alpha1.CDPCredentialStatus) bool {
	if h.By == byOurLimits && plan.Cause != CauseRenewal {
		return false
	}
	was := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionRefreshed)
	if was != nil && was.Status == metav1.ConditionFalse && was.ObservedGeneration == s.Object.Generation {
		told := toldHoldUp(s, was)
		if told == 0 || told >= h.By {
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

// toldHoldUp is the hold-up that a condition tells of. Zero: it tells of something else.
func toldHoldUp(s *State, c *metav1.Condition) HoldUpCause {
	for by := byOurLimits; by <= byOutage; by++ {
		if c.Message == (&HoldUp{By: by}).Failure(s).Message {
			return by
		}
	}
	return 0
}
