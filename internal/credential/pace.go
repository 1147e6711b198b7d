// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

const (
	// minAttemptInterval is the least time between two attempts of one object, whatever its token has left, and rejectedInterval the least time
	// after a rejection before a change or a person brings the next one.
	minAttemptInterval = 10 * time.Second
	rejectedInterval   = time.Minute
	// maxEarlyAttempts is how often within earlyWindow a change may have an attempt made sooner than that.
	maxEarlyAttempts = 3
	earlyWindow      = 10 * time.Minute
	// insistInterval is how long after a 429 a person may have the endpoint asked again though it has not allowed that yet.
	insistInterval = 10 * time.Minute
)

// EarliestAttempt is before when no attempt is made, even though a change or a person has ended the wait for the last one's failure. Zero: there is
// no such time. Early reports whether a change allows to ignore it.
func EarliestAttempt(s *State) (earliest time.Time, early bool) {
	last, next := s.Object.Status.LastAttempt, s.Object.Status.NextRefreshTime
	if last == nil || !s.Desired.Flow.Exchanges() {
		return time.Time{}, false
	}
	retryReached := !last.Superseded && next != nil && !s.Now.Before(next.Time)
	if earliest = spaced(s); earliest.IsZero() || retryReached {
		return time.Time{}, false
	}
	return earliest, requestChanged(s) && len(earlyAttempts(s)) < maxEarlyAttempts
}

// spaced is until when the endpoint is not asked again after it was asked in vain, as far as no change allows it. Zero: that time has passed.
func spaced(s *State) time.Time {
	last := s.Object.Status.LastAttempt
	if last == nil || last.Time == nil {
		return time.Time{}
	}
	interval := minAttemptInterval
	if last.Rejected {
		interval = rejectedInterval
	}
	earliest := lastAsked(s).Add(interval)
	if !s.Now.Before(earliest) {
		return time.Time{}
	}
	return earliest
}

// lastAsked is when the endpoint was last asked in vain, and never later than now: the clock may have been set back.
func lastAsked(s *State) time.Time {
	asked := s.Object.Status.LastAttempt.Time.Time
	if asked.After(s.Now) {
		return s.Now
	}
	return asked
}

// requestChanged reports whether something else would be sent than with the last attempt.
func requestChanged(s *State) bool {
	last := s.Object.Status.LastAttempt
	return last.Asked != s.Desired.SpecHash || last.ClientSecretVersion != s.Client.Version && !s.AttemptUnchanged
}

// earlyAttempts are those of status that still count.
func earlyAttempts(s *State) []metav1.Time {
	var recent []metav1.Time
	for _, t := range s.Object.Status.EarlyAttempts {
		if age := s.Now.Sub(t.Time); age < earlyWindow {
			recent = append(recent, t)
		}
	}
	return recent
}

// Insists reports whether a person asks for a token whose client was throttled long enough ago.
func Insists(s *State) bool {
	last := s.Object.Status.LastAttempt
	return RefreshRequested(s) && last != nil && last.Time != nil && !s.Now.Before(lastAsked(s).Add(insistInterval))
}

// lifeLeft is what the held token has left. False: none is held that could be lost.
func lifeLeft(s *State) (time.Duration, bool) {
	if !s.Current.HoldsToken(s.Now) || s.Current.Persisted.ExpiresAt.IsZero() {
		return 0, false
	}
	return s.Current.Persisted.ExpiresAt.Sub(s.Now), true
}

// slowRetry is for what somebody has to mend, perhaps where we cannot see it: 15 min, doubling to 1 h.
func slowRetry(s *State, reason string) time.Duration {
	return Doubled(15*time.Minute, time.Hour, consecutiveFailures(s, reason))
}

// rejectedRetry is slowRetry, but while the held token lives never longer than a quarter of what it has left: a 403 may be a firewall's mistake.
// That quarter is at least a minute, or half of what is left where that is less.
func rejectedRetry(s *State) time.Duration {
	wait := slowRetry(s, v1alpha1.ReasonCredentialsRejected)
	if left, ok := lifeLeft(s); ok {
		wait = min(wait, max(left/4, min(time.Minute, left/2)))
	}
	return wait
}

// quickRetry is for what mends itself: 2 s, doubling with full jitter to 5 min, and never longer than a quarter of what the held token has
// left. Chance is in [0, 1).
func quickRetry(s *State, reason string, chance float64) time.Duration {
	most := Doubled(2*time.Second, 5*time.Minute, consecutiveFailures(s, reason))
	if left, ok := lifeLeft(s); ok {
		most = min(most, max(left/4, minAttemptInterval))
	}
	return time.Duration(chance * float64(most))
}

// retryAfter is wait or, where the endpoint says so, longer; but while the held token lives not beyond half of what it has left.
func retryAfter(s *State, wait time.Duration, e *exchange.Error) time.Duration {
	said := e.RetryAfter
	if left, ok := lifeLeft(s); ok {
		said = min(said, left/2)
	}
	return max(wait, said)
}

// throttledRetry obeys the endpoint; one that does not say how long, or says zero and goes on throttling, is asked after 30 s doubling to
// 5 min, and up to half as much again.
func throttledRetry(s *State, e *exchange.Error, chance float64) time.Duration {
	if e.HasRetryAfter && e.RetryAfter > 0 {
		return e.RetryAfter
	}
	wait := Doubled(30*time.Second, 5*time.Minute, consecutiveFailures(s, v1alpha1.ReasonThrottled))
	return wait + time.Duration(chance*float64(wait)/2)
}

// consecutiveFailures counts the failures in a row before this one, as far as they are of its kind: an outage of an hour says nothing about how soon a
// wrong secret is mended.
func consecutiveFailures(s *State, reason string) int32 {
	if failureClass(RefreshedReason(&s.Object.Status)) != failureClass(reason) {
		return 0
	}
	return s.Object.Status.Failures
}

// failureClass takes the two reasons together that mend themselves: an endpoint in trouble shows both.
func failureClass(reason string) string {
	if reason == v1alpha1.ReasonMalformedResponse {
		return v1alpha1.ReasonEndpointUnavailable
	}
	return reason
}
