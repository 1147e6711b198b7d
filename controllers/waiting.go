package controllers

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
)

// heldUpAfter is how long an exchange waits for its turn before that is told.
const heldUpAfter = time.Minute

// A holdUp is what an exchange waits for at the gate, and since when it is due.
type holdUp struct {
	by    holdUpBy
	since time.Time
}

// holdUpBy is who makes an exchange wait. Of several the greater one is told: what is told only ever gets worse, so that it does not flap.
type holdUpBy int

const (
	byOurLimits holdUpBy = iota + 1
	byThrottling
	byOutage
)

func heldUpBy(reason string) holdUpBy {
	switch reason {
	case egress.ReasonPaused, egress.ReasonClientPaused:
		return byThrottling
	case egress.ReasonBreaker:
		return byOutage
	}
	return byOurLimits
}

// long reports whether it is time to tell.
func (h *holdUp) long(now time.Time) bool { return h != nil && now.Sub(h.since) >= heldUpAfter }

// failure is what is told of it.
func (h *holdUp) failure(v *view) *failure {
	host := hostOf(v.intent.endpoint)
	switch h.by {
	case byOutage:
		return &failure{reason: v1alpha1.ReasonEndpointUnavailable, message: fmt.Sprintf(
			"%s has failed several times in a row and is asked seldom until it answers, so that the next token waits for its turn: if this lasts, see the vendor's "+
				"status page, DNS, the network policy and the proxy", host)}
	case byThrottling:
		return &failure{reason: v1alpha1.ReasonThrottled, message: fmt.Sprintf(
			"%s throttles (it answered 429, perhaps to others), and the next token waits until it takes requests again: ask the vendor for a higher limit if this lasts", host)}
	}
	return &failure{reason: v1alpha1.ReasonThrottled, message: fmt.Sprintf(
		"the operator's own limits hold the next token up: too many requests to %s, or of this namespace, wait for their turn; if this lasts, ask whoever runs the "+
			"operator to raise --token-endpoint-qps or --token-endpoint-in-flight", host)}
}

// reportWaiting says what there is to say while the exchange waits for its turn. That is no news. But a Ready that is no longer true is, and a token
// that was written by a process that died before it could say so, and a wait of more than a minute.
func reportWaiting(v *view, s step, out outcome, status *v1alpha1.CDPCredentialStatus) {
	untold := v.target.has() && v.target.owner() == v.obj.Name && !status.TokenExpirationTime.Equal(wholeSecond(v.target.rec.ExpiresAt))
	if untold || out.wrote { // what needs no exchange has not waited for it
		reportTarget(v, status)
	}
	news := untold || readyIsStale(v, status)
	if out.heldUp.long(v.now) {
		news = reportHeldUp(v, s, out.heldUp, status) || news
		status.NextRefreshTime = nil // nobody knows
	}
	if news {
		setReady(v, status)
		if !s.keep { // else an earlier failure is waited out until then, and something else waits here
			status.NextRefreshTime = nil // what it was is over, or later than what is waited for
		}
	}
}

// reportHeldUp tells that an exchange has waited long, once. What an attempt came to, and was told, says more. What has no due time is not late:
// only the endpoint's trouble is told of it, since our own limits may make a herd of new objects wait for minutes.
func reportHeldUp(v *view, s step, h *holdUp, status *v1alpha1.CDPCredentialStatus) bool {
	if h.by == byOurLimits && s.cause != causeRenewal {
		return false
	}
	was := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionRefreshed)
	if was != nil && was.Status == metav1.ConditionFalse && was.ObservedGeneration == v.obj.Generation {
		told := toldHoldUp(v, was)
		if told == 0 || told >= h.by {
			return false
		}
	}
	f := h.failure(v)
	status.ObservedGeneration = v.obj.Generation
	set(v, status, v1alpha1.ConditionRefreshed, metav1.ConditionFalse, f.reason, f.message)
	set(v, status, v1alpha1.ConditionReconciling, metav1.ConditionTrue, f.reason, f.message)
	remove(status, v1alpha1.ConditionStalled)
	return true
}

// toldHoldUp is the hold-up that a condition tells of. Zero: it tells of something else.
func toldHoldUp(v *view, c *metav1.Condition) holdUpBy {
	for by := byOurLimits; by <= byOutage; by++ {
		if c.Message == (&holdUp{by: by}).failure(v).message {
			return by
		}
	}
	return 0
}
