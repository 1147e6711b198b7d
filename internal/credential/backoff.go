// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A Backoff is the wait after a failed attempt. The zero Backoff is none.
type Backoff struct {
	Waits bool
	// Until is when the wait ends. Zero while Waits: only a change ends it.
	Until time.Time
}

// UntilChange reports whether only a change ends the wait.
func (b Backoff) UntilChange() bool { return b.Waits && b.Until.IsZero() }

// backoffOf returns what is left of the backoff after the last attempt.
func backoffOf(s *State) Backoff {
	last := s.Object.Status.LastAttempt
	failed := last != nil && !last.Superseded
	if !failed || changedSinceAttempt(s) || requestEndsBackoff(s) {
		return Backoff{}
	}
	next := s.Object.Status.NextRefreshTime
	if next == nil {
		// Without a time the backoff is over, unless only a change helps. It is over as well if the conditions were overwritten with older ones and
		// give no reason any more: the failure then has to be reported again.
		return Backoff{Waits: retriedOnlyAfterChange(refreshedReason(&s.Object.Status))}
	}
	until := next.Time
	if isRefreshRequested(s) && last.Time != nil {
		until = Earliest(until, lastAsked(s).Add(insistInterval))
	}
	return Backoff{Waits: s.Now.Before(until), Until: until}
}

// changedSinceAttempt reports whether something has changed since the last attempt that may have fixed it. A throttled client has to wait
// nevertheless, unless the change makes it another client.
func changedSinceAttempt(s *State) bool {
	last := s.Object.Status.LastAttempt
	clientChanged := last.ClientSecretVersion != s.Client.Version && !s.AttemptUnchanged
	specChanged := last.Generation != s.Object.Generation
	if isThrottled(s) {
		specChanged = specChanged && last.Asked != s.Desired.SpecHash
	}
	return clientChanged || specChanged
}

// requestEndsBackoff reports whether a user's refresh request allows to ask the endpoint now.
func requestEndsBackoff(s *State) bool {
	return isRefreshRequested(s) && (!isThrottled(s) || insists(s))
}

func isThrottled(s *State) bool { return refreshedReason(&s.Object.Status) == v1alpha1.ReasonThrottled }

// unwritable reports whether a rewrite would fail like the last attempt: the client Secret lacks values, or the API server refuses the write.
func unwritable(s *State) bool {
	b := backoffOf(s)
	writeRefused := b.Waits && refreshedReason(&s.Object.Status) == v1alpha1.ReasonTargetUnusable
	return b.UntilChange() || writeRefused
}
