package controllers

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

// earliestAttempt is before when no attempt is made, even though a change or a person has ended the wait for the last one's failure. Zero: there is
// no such time. Early reports whether a change allows to ignore it.
func earliestAttempt(v *view) (earliest time.Time, early bool) {
	last, next := v.obj.Status.LastAttempt, v.obj.Status.NextRefreshTime
	if last == nil || !v.intent.flow.Exchanges() {
		return time.Time{}, false
	}
	retryReached := !last.Superseded && next != nil && !v.now.Before(next.Time)
	if earliest = spaced(v); earliest.IsZero() || retryReached {
		return time.Time{}, false
	}
	return earliest, requestChanged(v) && len(earlyAttempts(v)) < maxEarlyAttempts
}

// spaced is until when the endpoint is not asked again after it was asked in vain, as far as no change allows it. Zero: that time has passed.
func spaced(v *view) time.Time {
	last := v.obj.Status.LastAttempt
	if last == nil || last.Time == nil {
		return time.Time{}
	}
	interval := minAttemptInterval
	if last.Rejected {
		interval = rejectedInterval
	}
	earliest := lastAsked(v).Add(interval)
	if !v.now.Before(earliest) {
		return time.Time{}
	}
	return earliest
}

// lastAsked is when the endpoint was last asked in vain, and never later than now: the clock may have been set back.
func lastAsked(v *view) time.Time {
	asked := v.obj.Status.LastAttempt.Time.Time
	if asked.After(v.now) {
		return v.now
	}
	return asked
}

// requestChanged reports whether something else would be sent than with the last attempt.
func requestChanged(v *view) bool {
	last := v.obj.Status.LastAttempt
	return last.Asked != v.intent.asked || last.ClientSecretVersion != v.client.version && !v.attemptUnchanged
}

// earlyAttempts are those of status that still count.
func earlyAttempts(v *view) []metav1.Time {
	var recent []metav1.Time
	for _, t := range v.obj.Status.EarlyAttempts {
		if age := v.now.Sub(t.Time); age < earlyWindow {
			recent = append(recent, t)
		}
	}
	return recent
}

// insists reports whether a person asks for a token whose client was throttled long enough ago.
func insists(v *view) bool {
	last := v.obj.Status.LastAttempt
	return requested(v) && last != nil && last.Time != nil && !v.now.Before(lastAsked(v).Add(insistInterval))
}

// lifeLeft is what the held token has left. False: none is held that could be lost.
func lifeLeft(v *view) (time.Duration, bool) {
	if !v.held.holds(v.now) || v.held.rec.ExpiresAt.IsZero() {
		return 0, false
	}
	return v.held.rec.ExpiresAt.Sub(v.now), true
}

// slowRetry is for what somebody has to mend, perhaps where we cannot see it: 15 min, doubling to 1 h.
func slowRetry(v *view, reason string) time.Duration {
	return doubled(15*time.Minute, time.Hour, streak(v, reason))
}

// rejectedRetry is slowRetry, but while the held token lives never longer than a quarter of what it has left: a 403 may be a firewall's mistake.
// That quarter is at least a minute, or half of what is left where that is less.
func rejectedRetry(v *view) time.Duration {
	wait := slowRetry(v, v1alpha1.ReasonCredentialsRejected)
	if left, ok := lifeLeft(v); ok {
		wait = min(wait, max(left/4, min(time.Minute, left/2)))
	}
	return wait
}

// quickRetry is for what mends itself: 2 s, doubling with full jitter to 5 min, and never longer than a quarter of what the held token has
// left. Chance is in [0, 1).
func quickRetry(v *view, reason string, chance float64) time.Duration {
	most := doubled(2*time.Second, 5*time.Minute, streak(v, reason))
	if left, ok := lifeLeft(v); ok {
		most = min(most, max(left/4, minAttemptInterval))
	}
	return time.Duration(chance * float64(most))
}

// retryAfter is wait or, where the endpoint says so, longer; but while the held token lives not beyond half of what it has left.
func retryAfter(v *view, wait time.Duration, e *exchange.Error) time.Duration {
	said := e.RetryAfter
	if left, ok := lifeLeft(v); ok {
		said = min(said, left/2)
	}
	return max(wait, said)
}

// throttledRetry obeys the endpoint; one that does not say how long, or says zero and goes on throttling, is asked after 30 s doubling to
// 5 min, and up to half as much again.
func throttledRetry(v *view, e *exchange.Error, chance float64) time.Duration {
	if e.HasRetryAfter && e.RetryAfter > 0 {
		return e.RetryAfter
	}
	wait := doubled(30*time.Second, 5*time.Minute, streak(v, v1alpha1.ReasonThrottled))
	return wait + time.Duration(chance*float64(wait)/2)
}

// doubled is first, doubled once for each of the failures in a row before this one, and at most most.
func doubled(first, most time.Duration, failures int32) time.Duration {
	for range failures {
		if first >= most {
			break
		}
		first *= 2
	}
	return min(first, most)
}

// streak counts the failures in a row before this one, as far as they are of its kind: an outage of an hour says nothing about how soon a
// wrong secret is mended.
func streak(v *view, reason string) int32 {
	if kindOf(refreshedReason(&v.obj.Status)) != kindOf(reason) {
		return 0
	}
	return v.obj.Status.Failures
}

// kindOf takes the two reasons together that mend themselves: an endpoint in trouble shows both.
func kindOf(reason string) string {
	if reason == v1alpha1.ReasonMalformedResponse {
		return v1alpha1.ReasonEndpointUnavailable
	}
	return reason
}
