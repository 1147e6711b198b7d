// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// slowRetry is for what a person has to fix, perhaps where we cannot see it: 15 min, doubling to 1 h.
func slowRetry(s *State, reason string) time.Duration {
	return Doubled(15*time.Minute, time.Hour, consecutiveFailures(s, reason))
}

// rejectedRetry is slowRetry, but while the current token lives at most a quarter of what it has left: a 403 may be a firewall's mistake. That quarter
// is at least a minute, or half of what is left if that is less.
func rejectedRetry(s *State) time.Duration {
	delay := slowRetry(s, v1alpha1.ReasonCredentialsRejected)
	if left, ok := lifeLeft(s); ok {
		delay = min(delay, max(left/4, min(time.Minute, left/2)))
	}
	return delay
}

// quickRetry is for what fixes itself: 2 s, doubling to 5 min with full jitter, and at most a quarter of what the current token has left. Jitter is
// in [0, 1).
func quickRetry(s *State, reason string, jitter float64) time.Duration {
	limit := Doubled(2*time.Second, 5*time.Minute, consecutiveFailures(s, reason))
	if left, ok := lifeLeft(s); ok {
		limit = min(limit, max(left/4, minAttemptInterval))
	}
	return time.Duration(jitter * float64(limit))
}

// atLeastRetryAfter returns delay or, if the endpoint demands it, longer. While the current token lives, the endpoint may demand half of what is left.
func atLeastRetryAfter(s *State, e *exchange.Error, delay time.Duration) time.Duration {
	demanded := e.RetryAfter
	if left, ok := lifeLeft(s); ok {
		demanded = min(demanded, left/2)
	}
	return max(delay, demanded)
}

// throttledRetry obeys the endpoint. If that gives no Retry-After, or zero, it is 30 s, doubling to 5 min, plus up to half as much again.
func throttledRetry(s *State, e *exchange.Error, jitter float64) time.Duration {
	if e.HasRetryAfter && e.RetryAfter > 0 {
		return e.RetryAfter
	}
	delay := Doubled(30*time.Second, 5*time.Minute, consecutiveFailures(s, v1alpha1.ReasonThrottled))
	return delay + time.Duration(jitter*float64(delay)/2)
}

// lifeLeft returns how long the current token lives. False: there is no living token, or it never expires.
func lifeLeft(s *State) (time.Duration, bool) {
	if !s.Current.HoldsToken(s.Now) || s.Current.Persisted.ExpiresAt.IsZero() {
		return 0, false
	}
	return s.Current.Persisted.ExpiresAt.Sub(s.Now), true
}

// consecutiveFailures counts the failures in a row before this one that are of its class: an outage of an hour says nothing about how soon somebody
// fixes a wrong secret.
func consecutiveFailures(s *State, reason string) int32 {
	if failureClass(refreshedReason(&s.Object.Status)) != failureClass(reason) {
		return 0
	}
	return s.Object.Status.Failures
}

// failureClass is the reason itself, but for two that fix themselves: an endpoint in trouble alternates between them.
func failureClass(reason string) string {
	if reason == v1alpha1.ReasonMalformedResponse {
		return v1alpha1.ReasonEndpointUnavailable
	}
	return reason
}
