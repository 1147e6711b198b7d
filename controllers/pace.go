package controllers

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// slowRetry is for what the user has to mend, perhaps at the vendor where we cannot see it: 15 min, doubling to 1 h.
func slowRetry(v *view, reason string) time.Time {
	return v.now.Add(doubled(15*time.Minute, time.Hour, streak(v, reason)))
}

// quickRetry is for what mends itself: 2 s, doubling with full jitter to 5 min, and never longer than a quarter of what the held token has
// left, but at least up to 10 s. Chance is in [0, 1).
func quickRetry(v *view, reason string, chance float64) time.Time {
	most := doubled(2*time.Second, 5*time.Minute, streak(v, reason))
	if v.held.holds(v.now) && !v.held.rec.ExpiresAt.IsZero() {
		most = min(most, max(v.held.rec.ExpiresAt.Sub(v.now)/4, 10*time.Second))
	}
	return v.now.Add(time.Duration(chance * float64(most)))
}

// throttledRetry obeys the endpoint; one that does not say how long, or says zero and goes on throttling, is asked after 30 s doubling to
// 5 min, and up to half as much again.
func throttledRetry(v *view, e *exchange.Error, chance float64) time.Time {
	if e.HasRetryAfter && e.RetryAfter > 0 {
		return v.now.Add(e.RetryAfter)
	}
	wait := doubled(30*time.Second, 5*time.Minute, streak(v, v1alpha1.ReasonThrottled))
	return v.now.Add(wait + time.Duration(chance*float64(wait)/2))
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
