// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// A verifier checks tokens against spec.verify.url.
type verifier struct {
	*reader
	*Endpoints
}

// verify checks the token when that is due. It returns nil if it did not, and when to come back. A 401 for a token that was not itself issued because
// of a 401 is not reported: the next reconcile requests a new one.
func (r *verifier) verify(ctx context.Context, s *credential.State, cache *credential.ObjectCache, wrote bool, seen *sight) (*credential.Verification, time.Time) {
	plan := cache.Verification.Plan(s, wrote, r.Jitter)
	if !plan.Try {
		return plan.Known, plan.At
	}
	place, delay := r.Gate.Reserve(r.Clock.Now(), credential.VerificationGateRequest(s, plan.Endpoint))
	if delay != nil {
		return nil, s.Now.Add(delay.For)
	}
	tried, learned := (*credential.Verification)(nil), egress.Result{Kind: egress.Cancelled}
	live, err := r.live(ctx, s, cache, seen)
	if err == nil {
		tried, learned = r.tryToken(ctx, live, cache, plan)
	}
	place.Done(r.Clock.Now(), learned)
	if err != nil {
		// The token or the client Secret cannot be read now. Status still has to report the rest of this reconcile.
		ctrl.LoggerFrom(ctx).Error(err, "Failed to verify the token")
		return nil, s.Now.Add(credential.VerifyAgain)
	}
	return tried, cache.Verification.Tried(live, plan, tried, r.Clock.Now())
}

// tryToken calls the API. Nil: it answered 401, and a new token comes first.
func (r *verifier) tryToken(ctx context.Context, s *credential.State, cache *credential.ObjectCache, plan credential.VerificationPlan) (*credential.Verification, egress.Result) {
	notCalled := egress.Result{Kind: egress.Cancelled}
	headers, instead := credential.VerificationHeaders(s, plan.Endpoint)
	if instead != nil {
		return instead, notCalled
	}
	roots := s.Roots(plan.Endpoint)
	transport, err := r.Transports.For(s.Object.Namespace, roots)
	if err != nil { // a bad CA bundle, which is reported as InvalidSpec
		return &credential.Verification{Undecided: true}, notCalled
	}
	got := exchange.Verify(ctx, transport, r.Clock.Now, string(s.Object.Spec.Verify.URL), headers)
	tried, rejected := credential.VerificationOf(s, got, r.Clock.Now())
	if rejected {
		cache.Verification.Rejected = s.Target.Persisted.TokenMAC
	}
	return tried, credential.VerificationGateResult(got, roots != nil)
}

// live returns the state with the client Secret and the token read from the API server.
func (r *verifier) live(ctx context.Context, s *credential.State, cache *credential.ObjectCache, seen *sight) (*credential.State, error) {
	live := *s
	if err := r.lookAtClient(ctx, &live, seen); err != nil || !live.Client.Found || !credential.CanBeSent(&live) {
		return &live, err
	}
	var err error
	if live.Target.Secret == nil {
		live.Target, err = r.lookInto(ctx, s.Object, cache, seen, s.Target.Name)
	}
	return &live, err
}
