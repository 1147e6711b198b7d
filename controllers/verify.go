package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

const (
	defaultVerifyInterval = 5 * time.Minute
	minVerifyInterval     = time.Second
	// verifyAgain is the wait after the API server has refused a read.
	verifyAgain = 10 * time.Second
)

// A verification is what a try of the token against the API came to.
type verification struct {
	truth           metav1.ConditionStatus
	reason, message string
	correlation     string
	// undecided says that the API answered neither yes nor no: that changes nothing.
	undecided bool
	// unsettled says that it answered no to a token that has just ended the one before, of which it may not know yet.
	unsettled bool
	// distrusts says that it was not called because the client Secret brings no good CA.
	distrusts bool
}

// verify tries the token against the API, if it is time to. It gives nil if it was not tried, and when to come back. A 401 to a token
// that was not itself issued because of a 401 is not reported: the next pass issues a new one.
func (r *CDPCredentialReconciler) verify(ctx context.Context, v *view, mem *remembered, out outcome) (*verification, time.Time) {
	spec := v.obj.Spec.Verify
	if spec == nil || v.obj.Spec.Suspend || v.moving() || v.target.content != intact || !v.target.holds(v.now) || v.target.owner() != v.obj.Name {
		return nil, time.Time{}
	}
	if out.wrote {
		return nil, v.now // first the status, which must not wait for an API that hangs
	}
	endpoint, err := egress.EndpointOf(string(spec.URL))
	if err != nil {
		return &verification{truth: metav1.ConditionFalse, reason: v1alpha1.ReasonHostNotAllowed, message: "spec.verify.url: " + err.Error()}, time.Time{}
	}
	if !v.client.found {
		return nil, time.Time{} // reported as SecretNotFound
	}
	if f := hostConsent(v, endpoint); f != nil {
		mem.verified = "" // it is tried as soon as it may be again: until then nobody knows
		return notAllowed(f), time.Time{}
	}
	this := fingerprint(nil, []byte(v.target.rec.Token), []byte(spec.URL), []byte(verifyInterval(spec).String()), []byte(v.intent.caKey))
	if !mem.verifySpread && verifiedBefore(v) {
		// After a restart the tries are spread over the interval, and not all made at once.
		mem.verified, mem.verifyAt = this, v.now.Add(time.Duration(r.Chance()*float64(verifyInterval(spec))))
	}
	mem.verifySpread = true
	if mem.triedAlready(v, this) {
		return nil, mem.verifyAt
	}
	reservation, delay := r.Gate.Reserve(r.Clock.Now(), verifyRequest(v, endpoint))
	if delay != nil {
		return nil, v.now.Add(delay.For)
	}
	result := egress.Result{Kind: egress.Cancelled}
	defer func() { reservation.Done(r.Clock.Now(), result) }()
	tried, result, err := r.tryToken(ctx, v, mem, endpoint)
	if err != nil {
		// The API server does not say what is to be tried. That is no reason to keep from status what else the pass has found.
		ctrl.LoggerFrom(ctx).Error(err, "Failed to try the token")
		return nil, v.now.Add(verifyAgain)
	}
	mem.verified, mem.verifyAt, mem.distrusted = this, r.Clock.Now().Add(verifyInterval(spec)), ""
	if tried == nil {
		return nil, v.now // 401: a new token is due at once
	}
	if tried.distrusts {
		mem.distrusted = v.client.version
	}
	if tried.unsettled {
		mem.verifyAt = sooner(mem.verifyAt, v.target.rec.IssuedAt.Add(settlingTokens))
	}
	return tried, mem.verifyAt
}

// triedAlready reports whether this was tried last, and it is not time to try again. A client Secret that had no good CA may have one now.
func (mem *remembered) triedAlready(v *view, this string) bool {
	mayTrust := mem.distrusted != "" && mem.distrusted != v.client.version
	return mem.verified == this && !mayTrust && v.now.Before(mem.verifyAt)
}

// verifyRequest is what an object says to the gate when its token is to be tried.
func verifyRequest(v *view, endpoint egress.Endpoint) egress.Request {
	return egress.Request{
		Host: endpoint.String(), Namespace: v.obj.Namespace, Client: v.obj.Spec.ClientSecretRef.Name, Object: objectName(v.obj), Verify: true,
		Proven: meta.IsStatusConditionTrue(v.obj.Status.Conditions, v1alpha1.ConditionVerified),
	}
}

// notAllowed is the verification of a token that may not be sent to the API.
func notAllowed(f *failure) *verification {
	return &verification{truth: metav1.ConditionFalse, reason: f.reason, message: "spec.verify.url: " + f.message}
}

// notTrusted is the verification of a token that was not sent because there is nothing good to check the API's certificate against. Nobody knows what
// the API would say.
func notTrusted(f *failure) *verification {
	return &verification{truth: metav1.ConditionUnknown, distrusts: true, reason: f.reason, message: "spec.verify.url is not called: " + f.message}
}

// neverCalled reports whether a reason of Verified says that the API was not called: what it says next replaces that, whatever it is.
func neverCalled(reason string) bool {
	switch reason {
	case v1alpha1.ReasonHostNotAllowed, v1alpha1.ReasonSecretKeyInvalid, v1alpha1.ReasonSecretKeyMissing:
		return true
	}
	return false
}

func (r *CDPCredentialReconciler) tryToken(ctx context.Context, v *view, mem *remembered, endpoint egress.Endpoint) (*verification, egress.Result, error) {
	unknown := egress.Result{Kind: egress.Cancelled}
	req, f, err := r.request(ctx, v)
	if err != nil {
		return &verification{undecided: true}, unknown, err
	}
	if bad := badCertificate(v, endpoint); bad != nil {
		return notTrusted(bad), unknown, nil
	}
	if f != nil {
		return &verification{undecided: true}, unknown, nil
	}
	if f := hostConsent(v, endpoint); f != nil { // the client Secret as it is now, where the cache may have been behind
		return notAllowed(f), unknown, nil
	}
	value, there, err := r.heldValue(ctx, v)
	if !there || err != nil {
		return &verification{undecided: true}, unknown, err
	}
	transport, err := r.Transports.For(v.obj.Namespace, v.roots(endpoint))
	if err != nil {
		return &verification{undecided: true}, unknown, nil //nolint:nilerr // a bad CA bundle is reported as InvalidSpec
	}
	got := exchange.Verify(ctx, transport, r.Clock.Now, string(v.obj.Spec.Verify.URL), req.APIHeaders(value, v.target.rec.TokenType))
	result := egress.Result{Kind: egress.Served}
	if got.Err != nil {
		result = resultOf(got.Err, v.roots(endpoint) != nil)
	}
	if refused, ok := addressRefusal(got.Err); ok {
		return &verification{
			truth: metav1.ConditionUnknown, reason: v1alpha1.ReasonEndpointUnavailable,
			message: fmt.Sprintf("spec.verify.url: %s; give a public address, or have an administrator open this one with --allowed-cidrs", refused.Error()),
		}, unknown, nil
	}
	switch got.Verdict {
	case exchange.Accepted:
		return &verification{truth: metav1.ConditionTrue, reason: v1alpha1.ReasonVerified, message: "The API accepts the token"}, result, nil
	case exchange.Unauthorized:
		switch {
		case notSettled(v):
			return &verification{undecided: true, unsettled: true}, result, nil
		case !v.target.holds(r.Clock.Now().Add(clockNoise)):
			return &verification{undecided: true}, result, nil // by the API's clock it has just ended, and the next one is on its way
		}
		if v.target.rec.Cause != causeRejected && v.intent.flow.Exchanges() {
			mem.rejected = v.target.rec.Token
			return nil, result, nil
		}
		return &verification{
			truth: metav1.ConditionFalse, reason: v1alpha1.ReasonTokenRejected, correlation: got.Err.CorrelationID,
			message: got.Err.Error() + ", and a new one neither: check at the vendor that the client may use this API, and spec.verify.url",
		}, result, nil
	case exchange.Forbidden:
		return &verification{
			truth: metav1.ConditionFalse, reason: v1alpha1.ReasonInsufficientScope, correlation: got.Err.CorrelationID,
			message: got.Err.Error() + ": give the client the scope that this needs, at the vendor and in spec.provider",
		}, result, nil
	}
	return &verification{
		truth: metav1.ConditionUnknown, reason: v1alpha1.ReasonEndpointUnavailable, undecided: got.Err != nil && got.Err.Status != 0,
		message: fmt.Sprintf("spec.verify.url: %s; it is tried again by itself", got.Err.Error()),
	}, result, nil
}

// badCertificate returns what is wrong with the CA that the client Secret, which was read, brings for the API: an exchange would tell, but there may be
// none for a long time, or none at all. Nil: nothing, or the Secret does not consent to being used.
func badCertificate(v *view, endpoint egress.Endpoint) *failure {
	if v.client.secret == nil || clientConsent(v) != nil {
		return nil
	}
	return certificateConsent(v, endpoint)
}

// addressRefusal is why the API's address is not connected to, if that is what happened.
func addressRefusal(e *exchange.Error) (*egress.RefusedError, bool) {
	if e == nil {
		return nil, false // a nil *Error would be an error that is not nil
	}
	return errors.AsType[*egress.RefusedError](e)
}

func verifyInterval(spec *v1alpha1.Verify) time.Duration {
	return max(durationOr(spec.Interval, defaultVerifyInterval), minVerifyInterval)
}

// verifiedBefore says whether the API's word about the held token is in status already.
func verifiedBefore(v *view) bool {
	c := meta.FindStatusCondition(v.obj.Status.Conditions, v1alpha1.ConditionVerified)
	return c != nil && !neverCalled(c.Reason) && c.ObservedGeneration == v.obj.Generation && v.obj.Status.TargetVersion == v.target.version
}

// reportVerified puts what the API said into status. What it did not say changes nothing, once it has said something.
func reportVerified(v *view, s step, out outcome, tried *verification, status *v1alpha1.CDPCredentialStatus) {
	if v.obj.Spec.Verify == nil {
		remove(status, v1alpha1.ConditionVerified)
		return
	}
	if tried == nil && v.rejected && (s.keep || out.failure != nil) {
		tried = &verification{
			truth: metav1.ConditionFalse, reason: v1alpha1.ReasonTokenRejected,
			message: "the API does not accept the token, and there is no new one: see the condition Refreshed",
		}
	}
	was := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionVerified)
	switch {
	case tried == nil || tried.reason == "":
	case tried.undecided && was != nil && !neverCalled(was.Reason): // else it could be called by now
	default:
		f := &failure{reason: tried.reason, message: tried.message, correlation: tried.correlation}
		message := tried.message
		if tried.truth != metav1.ConditionTrue {
			message = steadyAgainst(was, v.obj.Generation, f)
		}
		set(v, status, v1alpha1.ConditionVerified, tried.truth, tried.reason, message)
	}
}
