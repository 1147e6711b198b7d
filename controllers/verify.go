// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// A verifier tries tokens against the API that they are for.
type verifier struct {
	*reader
	*Endpoints
}

// verify tries the token against the API, if it is time to. It gives nil if it was not tried, and when to come back. A 401 to a token
// that was not itself issued because of a 401 is not reported: the next pass issues a new one.
func (r *verifier) verify(ctx context.Context, s *credential.State, cache *credential.ObjectCache, out credential.Result) (*credential.Verification, time.Time) {
	spec := s.Object.Spec.Verify
	if !credential.CanVerify(s) {
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
		cache.Verification.Verified = "" // it is tried as soon as it may be again: until then nobody knows
		return credential.VerificationNotAllowed(f), time.Time{}
	}
	this := credential.Fingerprint(nil, []byte(s.Target.Persisted.TokenMAC), []byte(spec.URL), []byte(credential.VerifyInterval(spec).String()), []byte(s.Desired.CAKey))
	if !cache.Verification.VerifySpread && credential.VerifiedBefore(s) {
		// After a restart the tries are spread over the interval, and not all made at once.
		cache.Verification.Verified, cache.Verification.VerifyAt = this, s.Now.Add(time.Duration(r.Jitter()*float64(credential.VerifyInterval(spec))))
	}
	cache.Verification.VerifySpread = true
	if cache.Verification.TriedAlready(s, this) {
		return nil, cache.Verification.VerifyAt
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
	cache.Verification.Verified, cache.Verification.VerifyAt, cache.Verification.Distrusted = this, r.Clock.Now().Add(credential.VerifyInterval(spec)), ""
	if tried == nil {
		return nil, s.Now // 401: a new token is due at once
	}
	if tried.Distrusts {
		cache.Verification.Distrusted = s.Client.Version
	}
	if tried.Unsettled {
		cache.Verification.VerifyAt = credential.Sooner(cache.Verification.VerifyAt, s.Target.Persisted.IssuedAt.Add(credential.SettlingTokens))
	}
	return tried, cache.Verification.VerifyAt
}

func (r *verifier) tryToken(ctx context.Context, s *credential.State, cache *credential.ObjectCache, endpoint egress.Endpoint) (*credential.Verification, egress.Result, error) {
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
	tried, rejected := credential.VerificationOf(s, got, r.Clock.Now())
	if rejected {
		cache.Verification.Rejected = s.Target.Persisted.TokenMAC
	}
	if _, refused := credential.AddressRefusal(got.Err); refused {
		result = unknown
	}
	return tried, result, nil
}
