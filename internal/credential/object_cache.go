// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// ObjectCache is only touched by the one reconcile that an object has at a time. Each sub-reconciler has a part of its own.
type ObjectCache struct {
	UID types.UID
	// ObjectVersion is the object's resourceVersion after our last status patch.
	ObjectVersion string
	// Lagging is since when the cache has shown the object older than it is. Zero: it does not.
	Lagging time.Time
	// Unsaved is the status that could not be written: the failures and the times in it hold all the same.
	Unsaved *v1alpha1.CDPCredentialStatus
	// APIFailure is since when the API server has refused what is asked of it. Zero: it does not.
	APIFailure APIFailure
	// Client is what was found when the client Secret was last read.
	Client       ClientComparison
	Target       TargetMemory
	Token        TokenMemory
	Verification VerificationMemory
	// Rollouts are what workloads wait for, of those that wait.
	Rollouts map[v1alpha1.RolloutRestart]RestartWait
	Stale    StaleMemory
}

// UnconfirmedVersion is the version of an object that this process knows only from the list that it began with, which may be minutes old. What another
// process has written since is not to be mixed with what is changed of that: a backoff would get the time of a renewal. Empty: this process has read
// or written the object, or there is nothing in its status that could be lost.
func (cache *ObjectCache) UnconfirmedVersion(obj *v1alpha1.CDPCredential, saved *v1alpha1.CDPCredentialStatus) string {
	nothingToLose := saved.LastRefreshTime == nil && saved.LastAttempt == nil
	if cache.ObjectVersion != "" || nothingToLose {
		return ""
	}
	return obj.ResourceVersion
}

// A Lag reports whether the cache shows an object older than this process knows it.
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

// MustConfirm reports whether a plan that was made from the cache is to be made again with what the API server says: before the first exchange of a
// process, after a write of unknown outcome, and before a blocker is reported. There is no need where there is nothing to lose.
func (cache *ObjectCache) MustConfirm(s *State, plan Plan) bool {
	saved, target := &s.SavedStatus, &cache.Target
	nothingToLose := saved.LastRefreshTime == nil && saved.LastAttempt == nil && !s.Current.Found && !target.Uncertain
	unsure := !target.Confirmed || target.Uncertain
	return !nothingToLose && (plan.Exchanges(s) && unsure || IsNewBlocker(s, plan))
}
