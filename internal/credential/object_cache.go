// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// ObjectCache is what this process remembers of an object. Only the object's reconcile touches it, of which there is one at a time. Nothing is wrong
// without it: a restarted process begins with none.
type ObjectCache struct {
	UID types.UID
	// ObjectVersion is the object's resourceVersion after our last status patch.
	ObjectVersion string
	// Lagging is since when the cache has shown an older version. Zero: it does not.
	Lagging time.Time
	// Unsaved is a status that could not be written. The failures and times in it hold nevertheless.
	Unsaved *v1alpha1.CDPCredentialStatus
	// APIFailure is since when the API server has refused what is asked of it. Zero: it does not.
	APIFailure APIFailure
	// Client is what was found when the client Secret was last read.
	Client       ClientComparison
	Target       TargetMemory
	Token        TokenMemory
	Verification VerificationMemory
	// Rollouts has the workloads whose restart has to wait.
	Rollouts map[v1alpha1.RolloutRestart]RestartWait
	Stale    StaleMemory
	Pods     PodsMemory
}

// UnconfirmedVersion returns the version of an object that may not be the latest: this process knows it only from its initial list, which may be minutes
// old, or knows of a later one that could not be read. A status patch must fail on any other version: mixed with what has been written since, a backoff
// would get the time of a renewal. Empty: the object is known, or there is nothing in its status that could be lost.
func (cache *ObjectCache) UnconfirmedVersion(obj *v1alpha1.CDPCredential, saved *v1alpha1.CDPCredentialStatus) string {
	nothingToLose := neverWritten(saved) && saved.LastAttempt == nil
	known := cache.ObjectVersion != "" && !Older(obj.ResourceVersion, cache.ObjectVersion)
	if known || nothingToLose {
		return ""
	}
	return obj.ResourceVersion
}

// Acted remembers what a reconcile has done.
func (cache *ObjectCache) Acted(s *State, plan Plan, result Result) {
	if !result.Waiting { // who waits for a turn has not asked the API server for anything
		cache.APIFailure = APIFailure{}
	}
	cache.Stale.SharedTarget = SharedTarget(s)
	if result.Wrote && plan.Repair > 0 {
		cache.Target.Repairs.Quick = cache.Target.Repairs.Quick.Plus(plan.Repair, s.Now)
	}
}

// A Lag says whether the cache shows an older version of an object than this process knows.
type Lag int

// A short lag is waited out. A long one is not: a watch may hang for minutes, and the API server may have been restored from a backup.
const (
	NoLag Lag = iota
	ShortLag
	LongLag
)

// LagOf returns the cache's lag for an object, and remembers since when it lags.
func (cache *ObjectCache) LagOf(obj *v1alpha1.CDPCredential, now time.Time) Lag {
	if !Older(obj.ResourceVersion, cache.ObjectVersion) {
		cache.Lagging = time.Time{}
		return NoLag
	}
	if cache.Lagging.IsZero() || now.Before(cache.Lagging) {
		cache.Lagging = now
	}
	if now.Sub(cache.Lagging) < MaxLag {
		return ShortLag
	}
	return LongLag
}

// MustConfirm reports whether a plan that was made from the cache has to be made again with what the API server says: before the first exchange of a
// process, after a write without an answer, and before a blocker is reported. There is no need if nothing could be lost.
func (cache *ObjectCache) MustConfirm(s *State, plan Plan) bool {
	saved, target := &s.SavedStatus, &cache.Target
	nothingToLose := neverWritten(saved) && saved.LastAttempt == nil && !s.Current.Found && !target.Uncertain
	unsure := !target.Confirmed || target.Uncertain
	return !nothingToLose && (plan.Exchanges(s) && unsure || isNewBlocker(s, plan))
}

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
