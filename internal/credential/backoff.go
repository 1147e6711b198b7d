// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A Backoff reports whether the failure of an earlier attempt is still to be waited out.
type Backoff struct {
	Waits bool
	// Until is when the wait ends. Zero while it waits: only a change ends it.
	Until time.Time
}

// UntilChange reports whether only a change ends the wait.
func (b Backoff) UntilChange() bool { return b.Waits && b.Until.IsZero() }

// unwritable reports whether the last attempt failed for what a rewrite needs, too: values that the client Secret lacks, or the right to write the target.
func unwritable(s *State) bool {
	b := BackoffOf(s)
	return b.UntilChange() || b.Waits && RefreshedReason(&s.Object.Status) == v1alpha1.ReasonTargetUnusable
}

// BackoffOf returns the backoff of the last attempt.
func BackoffOf(s *State) Backoff {
	status := &s.Object.Status
	last := status.LastAttempt
	if last == nil {
		return Backoff{}
	}
	if last.Superseded || changedSinceAttempt(s) || requestEndsWait(s) {
		return Backoff{}
	}
	if status.NextRefreshTime == nil {
		// No time: the wait is over, and it had to wait for its turn since. Nor may what has no reason any more wait, because a process that had an
		// old list has written its conditions: somebody is to be told again.
		return Backoff{Waits: untilAChange(RefreshedReason(status))}
	}
	until := status.NextRefreshTime.Time
	if RefreshRequested(s) && last.Time != nil {
		until = Sooner(until, lastAsked(s).Add(insistInterval))
	}
	return Backoff{Waits: s.Now.Before(until), Until: until}
}

// changedSinceAttempt reports whether something has changed since the last attempt that may have fixed it. A throttled client waits as long as it was
// told to, unless it would be another client now.
func changedSinceAttempt(s *State) bool {
	last := s.Object.Status.LastAttempt
	clientChanged := last.ClientSecretVersion != s.Client.Version && !s.AttemptUnchanged
	specChanged := last.Generation != s.Object.Generation
	if isThrottled(s) {
		specChanged = specChanged && last.Asked != s.Desired.SpecHash
	}
	return clientChanged || specChanged
}

// requestEndsWait reports whether a person may have the endpoint asked again now.
func requestEndsWait(s *State) bool { return RefreshRequested(s) && (!isThrottled(s) || Insists(s)) }

func isThrottled(s *State) bool { return RefreshedReason(&s.Object.Status) == v1alpha1.ReasonThrottled }
