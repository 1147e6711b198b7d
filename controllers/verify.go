package controllers

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// verify tries the token against the API, if it is time to. It gives nil if it was not tried, and when to come back. A 401 to a token
// that was not itself issued because of a 401 is not reported: the next pass issues a new one.
func (r *verifier) verify(ctx context.Context, s *credential.State, cache *objectCache, out credential.Result) (*credential.Verification, time.Time) {
	spec := s.Object.Spec.Verify
	if spec == nil || s.Object.Spec.Suspend || s.IsMoving() || s.Target.Content != credential.ContentIntact || !s.Target.HoldsToken(s.Now) || s.Target.Owner() != s.Object.Name {
		return nil, time.Time{}
	}
	if out.Wrote {
		return nil, s.Now // first the status, which must not wait for an API that hangs
	}
	endpoint, err := egress.EndpointOf(string(spec.URL))
	if err != nil {
		return &credential.Verification{Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonHostNotAllowed, Message: "spec.verify.url: " + err.Error()}, time.Time{}
	}
	if !s.Client.Found {
		return nil, time.Time{} // reported as SecretNotFound
	}
	if f := credential.HostConsent(s, endpoint); f != nil {
		cache.verification.verified = "" // it is tried as soon as it may be again: until then nobody knows
		return credential.VerificationNotAllowed(f), time.Time{}
	}
	this := credential.Fingerprint(nil, []byte(s.Target.Persisted.TokenMAC), []byte(spec.URL), []byte(credential.VerifyInterval(spec).String()), []byte(s.Desired.CAKey))
	if !cache.verification.verifySpread && credential.VerifiedBefore(s) {
		// After a restart the tries are spread over the interval, and not all made at once.
		cache.verification.verified, cache.verification.verifyAt = this, s.Now.Add(time.Duration(r.Jitter()*float64(credential.VerifyInterval(spec))))
	}
	cache.verification.verifySpread = true
	if cache.triedAlready(s, this) {
		return nil, cache.verification.verifyAt
	}
	reservation, delay := r.Gate.Reserve(r.Clock.Now(), credential.VerificationGateRequest(s, endpoint))
	if delay != nil {
		return nil, s.Now.Add(delay.For)
	}
	result := egress.Result{Kind: egress.Cancelled}
	defer func() { reservation.Done(r.Clock.Now(), result) }()
	tried, result, err := r.tryToken(ctx, s, cache, endpoint)
	if err != nil {
		// The API server does not say what is to be tried. That is no reason to keep from status what else the pass has found.
		ctrl.LoggerFrom(ctx).Error(err, "Failed to try the token")
		return nil, s.Now.Add(credential.VerifyAgain)
	}
	cache.verification.verified, cache.verification.verifyAt, cache.verification.distrusted = this, r.Clock.Now().Add(credential.VerifyInterval(spec)), ""
	if tried == nil {
		return nil, s.Now // 401: a new token is due at once
	}
	if tried.Distrusts {
		cache.verification.distrusted = s.Client.Version
	}
	if tried.Unsettled {
		cache.verification.verifyAt = credential.Sooner(cache.verification.verifyAt, s.Target.Persisted.IssuedAt.Add(credential.SettlingTokens))
	}
	return tried, cache.verification.verifyAt
}

// triedAlready reports whether this was tried last, and it is not time to try again. A client Secret that had no good CA may have one now.
func (cache *objectCache) triedAlready(s *credential.State, this string) bool {
	mayTrust := cache.verification.distrusted != "" && cache.verification.distrusted != s.Client.Version
	return cache.verification.verified == this && !mayTrust && s.Now.Before(cache.verification.verifyAt)
}

func (r *verifier) tryToken(ctx context.Context, s *credential.State, cache *objectCache, endpoint egress.Endpoint) (*credential.Verification, egress.Result, error) {
	unknown := egress.Result{Kind: egress.Cancelled}
	req, f, err := r.request(ctx, s)
	if err != nil {
		return &credential.Verification{Undecided: true}, unknown, err
	}
	if bad := credential.BadCA(s, endpoint); bad != nil {
		return credential.VerificationNotTrusted(bad), unknown, nil
	}
	if f != nil {
		return &credential.Verification{Undecided: true}, unknown, nil
	}
	if f := credential.HostConsent(s, endpoint); f != nil { // the client Secret as it is now, where the cache may have been behind
		return credential.VerificationNotAllowed(f), unknown, nil
	}
	value, there, err := r.currentToken(ctx, s)
	if !there || err != nil {
		return &credential.Verification{Undecided: true}, unknown, err
	}
	transport, err := r.Transports.For(s.Object.Namespace, s.Roots(endpoint))
	if err != nil {
		return &credential.Verification{Undecided: true}, unknown, nil //nolint:nilerr // a bad CA bundle is reported as InvalidSpec
	}
	got := exchange.Verify(ctx, transport, r.Clock.Now, string(s.Object.Spec.Verify.URL), req.APIHeaders(value, s.Target.Persisted.TokenType))
	result := egress.Result{Kind: egress.Served}
	if got.Err != nil {
		result = credential.GateResult(got.Err, s.Roots(endpoint) != nil)
	}
	if refused, ok := credential.AddressRefusal(got.Err); ok {
		return &credential.Verification{
			Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonEndpointUnavailable,
			Message: fmt.Sprintf("spec.verify.url: %s; give a public address, or have an administrator open this one with --allowed-cidrs", refused.Error()),
		}, unknown, nil
	}
	switch got.Verdict {
	case exchange.Accepted:
		return &credential.Verification{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonVerified, Message: "The API accepts the token"}, result, nil
	case exchange.Unauthorized:
		switch {
		case credential.NotSettled(s):
			return &credential.Verification{Undecided: true, Unsettled: true}, result, nil
		case !s.Target.HoldsToken(r.Clock.Now().Add(credential.ClockNoise)):
			return &credential.Verification{Undecided: true}, result, nil // by the API's clock it has just ended, and the next one is on its way
		}
		if s.Target.Persisted.Cause != credential.CauseRejected && s.Desired.Flow.Exchanges() {
			cache.verification.rejected = s.Target.Persisted.TokenMAC
			return nil, result, nil
		}
		return &credential.Verification{
			Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonTokenRejected, Correlation: got.Err.CorrelationID,
			Message: got.Err.Error() + ", and a new one neither: check at the vendor that the client may use this API, and spec.verify.url",
		}, result, nil
	case exchange.Forbidden:
		return &credential.Verification{
			Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonInsufficientScope, Correlation: got.Err.CorrelationID,
			Message: got.Err.Error() + ": give the client the scope that this needs, at the vendor and in spec.provider",
		}, result, nil
	}
	return &credential.Verification{
		Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonEndpointUnavailable, Undecided: got.Err != nil && got.Err.Status != 0,
		Message: fmt.Sprintf("spec.verify.url: %s; it is tried again by itself", got.Err.Error()),
	}, result, nil
}

// A verifier tries tokens against the API that they are for.
type verifier struct {
	*reader
	*Endpoints
}
