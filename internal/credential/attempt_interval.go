// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// minAttemptInterval is the least time between two attempts of one object, whatever its token has left.
	minAttemptInterval = 10 * time.Second
	// rejectedInterval is the same after a rejection, even if a change or a user asks for the next attempt.
	rejectedInterval = time.Minute
	// maxEarlyAttempts is how often within earlyWindow a change may bring the next attempt forward.
	maxEarlyAttempts = 3
	earlyWindow      = 10 * time.Minute
	// insistInterval is how long after a 429 a user may have the endpoint asked again before its Retry-After is over.
	insistInterval = 10 * time.Minute
)

// earliestAttempt returns when the endpoint may be asked again at the earliest after a failed attempt, even though a change or a user has ended its
// backoff. Zero: now. Early reports whether a change justifies to ask it nevertheless.
func earliestAttempt(s *State) (earliest time.Time, early bool) {
	last, next := s.Object.Status.LastAttempt, s.Object.Status.NextRefreshTime
	if last == nil || !s.Desired.Flow.Exchanges() {
		return time.Time{}, false
	}
	retryReached := !last.Superseded && next != nil && !s.Now.Before(next.Time)
	if earliest = intervalEnd(s); earliest.IsZero() || retryReached {
		return time.Time{}, false
	}
	return earliest, requestChanged(s) && len(earlyAttempts(s)) < maxEarlyAttempts
}

// intervalEnd returns when the least time after the last failed attempt is over. Zero: it is over.
func intervalEnd(s *State) time.Time {
	last := s.Object.Status.LastAttempt
	if last == nil || last.Time == nil {
		return time.Time{}
	}
	interval := minAttemptInterval
	if last.Rejected {
		interval = rejectedInterval
	}
	end := lastAsked(s).Add(interval)
	if !s.Now.Before(end) {
		return time.Time{}
	}
	return end
}

// lastAsked returns when the endpoint was last asked in vain. It is never in the future, even if the clock was set back.
func lastAsked(s *State) time.Time {
	asked := s.Object.Status.LastAttempt.Time.Time
	if asked.After(s.Now) {
		return s.Now
	}
	return asked
}

// requestChanged reports whether the next request would differ from that of the last attempt.
func requestChanged(s *State) bool {
	last := s.Object.Status.LastAttempt
	clientChanged := last.ClientSecretVersion != s.Client.Version && !s.AttemptUnchanged
	return last.Asked != s.Desired.SpecHash || clientChanged
}

// earlyAttempts returns the early attempts that still count: those in status, and one that status does not know of.
func earlyAttempts(s *State) []metav1.Time {
	var recent []metav1.Time
	known := s.EarlyAt.IsZero() || s.Now.Sub(s.EarlyAt) >= earlyWindow
	for _, t := range s.Object.Status.EarlyAttempts {
		if age := s.Now.Sub(t.Time); age < earlyWindow {
			recent = append(recent, t)
			known = known || !t.Time.Before(s.EarlyAt) // a later one was counted together with it
		}
	}
	if !known {
		recent = append(recent, *roundedUp(s.EarlyAt))
	}
	return recent
}

// insists reports whether a user requests a token though the endpoint throttles, and enough time has passed to try.
func insists(s *State) bool {
	last := s.Object.Status.LastAttempt
	return isRefreshRequested(s) && last != nil && last.Time != nil && !s.Now.Before(lastAsked(s).Add(insistInterval))
}
