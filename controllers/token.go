// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"fmt"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/telemetry"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// A tokenReconciler gets tokens and publishes them.
type tokenReconciler struct {
	*targetWriter
	*Endpoints
	metrics *telemetry.Metrics
}

// audit writes the one line of an attempt: which Secret was sent where, for which object and why. Its keys are an interface (docs/operations.md). It has
// names and reasons only.
func audit(ctx context.Context, s *credential.State, plan credential.Plan, err error) {
	if !s.Desired.Flow.Exchanges() {
		return // nothing leaves the cluster
	}
	result, reason := exchangeResult(plan.Action, err)
	ctrl.LoggerFrom(ctx).WithName("audit").Info("Exchange",
		"credential", credential.ObjectName(s.Object), "secret", s.Object.Spec.ClientSecretRef.Name, "target", s.Object.Spec.Target.Name,
		"host", s.Desired.Endpoint.String(), "provider", s.Desired.Flow.Provider, "cause", string(plan.Cause), "result", result, "reason", reason)
}

// exchangeResult is what the audit line and the metric say of an attempt.
func exchangeResult(did credential.Action, err error) (result, reason string) {
	switch {
	case err != nil:
		return telemetry.Failure, credential.ReasonOf(err)
	case did == credential.ActionUpdate:
		return telemetry.Success, "ResourcesUpdated" // the same token
	}
	return telemetry.Success, v1alpha1.ReasonTokenIssued
}

// exchange makes the one attempt, and sets the state's time to its end: backoff starts when the attempt ended, not when it began.
func (r *tokenReconciler) exchange(ctx context.Context, s *credential.State, plan credential.Plan, req exchange.Request) (exchange.Token, egress.Result, error) {
	transport, err := r.Transports.For(s.Object.Namespace, s.Roots(s.Desired.Endpoint))
	if err != nil {
		return exchange.Token{}, egress.Result{Kind: egress.Cancelled}, err
	}
	began := r.Clock.Now()
	got, err := r.Exchanger.Exchange(ctx, transport, req)
	s.Now = r.Clock.Now()
	if credential.NeverSent(err) {
		return got, egress.Result{Kind: egress.Cancelled}, err
	}
	if s.Desired.Flow.Exchanges() {
		result, reason := exchangeResult(plan.Action, err)
		r.metrics.Exchanged(s.Desired.Flow.Provider, result, reason, s.Now.Sub(began))
	}
	learned := credential.GateResult(err, s.Roots(s.Desired.Endpoint) != nil)
	switch {
	case err != nil && ctx.Err() != nil:
		learned = egress.Result{Kind: egress.Cancelled}
	case err == nil && !got.Life.ExpiresAt.IsZero() && !s.Now.Before(got.Life.ExpiresAt):
		err = &exchange.Error{Kind: exchange.Malformed, Issued: true, Detail: "the token had expired before the answer was complete", Cause: token.ErrExpired}
	}
	audit(ctx, s, plan, err)
	return got, learned, err
}

// act does what was planned. An error is the API server's and makes the pass be tried again.
func (r *tokenReconciler) act(ctx context.Context, s *credential.State, cache *credential.ObjectCache, plan credential.Plan) (credential.Result, error) {
	switch plan.Action {
	case credential.ActionIssue, credential.ActionUpdate:
		return r.issue(ctx, s, cache, plan)
	}
	cache.Token.HeldUpSince = time.Time{}
	if plan.Action == credential.ActionRewrite {
		result, err := r.rewrite(ctx, s, cache)
		if f := result.Failure; f != nil && f.WriteRefused && plan.Keep {
			result.Failure, result.Unwritable = nil, true
		}
		if result.Failure == nil {
			result.Waiting = result.Waiting || plan.ExchangeIsToCome()
			result.Failure = plan.Failure
		}
		result.At = credential.Sooner(result.At, plan.At)
		return result, err
	}
	r.Gate.Withdraw(r.Clock.Now(), credential.ObjectName(s.Object))
	return credential.NoAction(plan), nil
}

// issue gets a token and publishes it.
func (r *tokenReconciler) issue(ctx context.Context, s *credential.State, cache *credential.ObjectCache, plan credential.Plan) (credential.Result, error) {
	if cache.Target.Terminating {
		return credential.Result{Waiting: true}, nil
	}
	p, result, err := r.obtain(ctx, s, cache, plan)
	if p == nil || err != nil {
		return result, err
	}
	old := s.Current.Persisted
	due := time.Time{}
	if old != nil && plan.Cause == credential.CauseRenewal {
		due = credential.RenewalTime(s)
	}
	result, err = r.publish(ctx, s, cache, p)
	if result.Wrote && s.Desired.Flow.Exchanges() && plan.Action == credential.ActionIssue && !p.Repeated {
		credential.ReportIssued(s, plan, p, old, due, r.Clock.Now(), &result)
	}
	return result, err
}

// obtain gives the token that is to be published: one that waits for it already, or a new one. Nil without an error: the outcome says why.
func (r *tokenReconciler) obtain(ctx context.Context, s *credential.State, cache *credential.ObjectCache, plan credential.Plan) (*credential.Publication, credential.Result, error) {
	if cache.Token.Pending != nil {
		if p, f, err := r.pending(ctx, s, cache); p != nil || f != nil || err != nil {
			return p, r.attempt(cache).Failed(s, f), err
		}
		return nil, credential.Result{Waiting: true, At: s.Now}, nil // it is decided again without it: the next one may have to wait for its turn
	}
	if f, err := r.stillThrottled(ctx, s, cache); f != nil || err != nil {
		return nil, r.attempt(cache).Failed(s, f), err
	}
	if earliest, early := credential.EarliestAttempt(s); !earliest.IsZero() && !early {
		return nil, credential.Result{Waiting: true, At: earliest}, nil // plan leaves this to us where there may be a 429 to tell of
	}
	reservation, delay := r.reserve(s, plan)
	if delay != nil {
		cache.Token.HeldUpSince = credential.Sooner(cache.Token.HeldUpSince, cache.APIFailure.Since, delay.Since)
		return nil, credential.Result{Waiting: true, At: s.Now.Add(delay.For), HeldUp: &credential.HoldUp{By: credential.HoldUpCauseOf(delay.Reason), Since: cache.Token.HeldUpSince}}, nil
	}
	learned := egress.Result{Kind: egress.Cancelled}
	defer func() {
		if reservation != nil {
			reservation.Done(r.Clock.Now(), learned)
		}
	}()

	req, out, err := r.prepared(ctx, s, cache, plan)
	if out != nil || err != nil {
		return nil, *cmp.Or(out, &credential.Result{}), err
	}
	cache.Token.HeldUpSince = time.Time{}
	req.ClockOffset = cache.Token.Assertions.Offset
	got, result, err := r.exchange(ctx, s, plan, req)
	learned = result
	if err != nil {
		if ctx.Err() != nil {
			return nil, credential.Result{}, fmt.Errorf("exchange: %w", ctx.Err()) // we are being stopped, which is nobody's failure
		}
		out, err := r.attempt(cache).Refused(s, plan, req, err)
		return nil, out, err
	}
	return r.received(s, cache, plan, req, got)
}

// received makes of a token what is to be published.
func (r *tokenReconciler) received(s *credential.State, cache *credential.ObjectCache, plan credential.Plan, req exchange.Request, got exchange.Token) (*credential.Publication, credential.Result, error) {
	cache.Token.Assertions.Accepted(got.Life.Skew, got.Life.SkewKnown)
	got.Life.Skew = r.clocks().LocalSkew(got.Life)
	if plan.Action == credential.ActionIssue && credential.IsCurrentToken(s, got) && !credential.EndsLater(s, got) {
		p, result := r.attempt(cache).SameToken(s, plan, req, got)
		if p != nil {
			cache.Token.Pending = p
		}
		return p, result, nil
	}
	cache.Token.Repeats = 0
	var salt []byte
	if plan.Action != credential.ActionUpdate {
		var err error
		if salt, err = r.random(16); err != nil {
			return nil, credential.Result{}, err
		}
	}
	p := credential.NewPublication(s, plan, req, got, salt)
	cache.Token.Pending = p
	if s.Desired.Flow.Exchanges() { // which has asked nobody
		cache.Token.Throttled = nil
	}
	if plan.Action == credential.ActionIssue && p.Persisted.Issuance != nil {
		cache.Token.IssuedAt, cache.Token.Issuance = p.Persisted.IssuedAt, p.Persisted.Issuance
		s.Issuance = cache.Token.Issuance
	}
	return p, credential.Result{}, nil
}

// prepared is the request as it is to be sent, once nothing is in its way any more. An outcome says what is.
func (r *tokenReconciler) prepared(ctx context.Context, s *credential.State, cache *credential.ObjectCache, plan credential.Plan) (exchange.Request, *credential.Result, error) {
	req, f, err := r.request(ctx, s)
	if f != nil || err != nil {
		return req, new(r.attempt(cache).Failed(s, f)), err
	}
	if credential.ChangeTakenBack(s, plan, req) {
		return req, &credential.Result{Waiting: true, At: s.Now.Add(credential.MaxLag)}, nil // which the cache is going to show
	}
	if result, err := r.rehearse(ctx, s, cache, plan, req); result.Failure != nil || result.Waiting || err != nil {
		_ = r.attempt(cache).Failed(s, result.Failure)
		return req, &result, err
	}
	if plan.Action == credential.ActionUpdate {
		req.CurrentToken, err = r.valueToKeep(ctx, s, cache)
	}
	return req, nil, err
}

// stillThrottled is what was reported of the last attempt that was answered with 429, while its time has not come and the same would be sent: in
// status something that was in the way meanwhile may have taken its place. Nil: there is no such attempt.
func (r *tokenReconciler) stillThrottled(ctx context.Context, s *credential.State, cache *credential.ObjectCache) (*credential.Failure, error) {
	if cache.Token.Throttled == nil || cache.Token.Throttled.Asked != s.Desired.SpecHash || credential.Insists(s) {
		return nil, nil // under another client Secret it is another client, even one of the same values: to wait for it would tell that they are the same
	}
	again := cache.Token.Throttled.Failure
	if !s.Now.Before(again.RetryAt) {
		cache.Token.Throttled = nil
		return nil, nil
	}
	req, f, err := r.request(ctx, s)
	if f != nil || err != nil {
		return f, err
	}
	if req.Fingerprint(r.salt) != cache.Token.Throttled.Request {
		return nil, nil
	}
	return &again, nil
}

// pending gives the token that was issued and could not yet be written, if it is still what is asked for. Nil without a failure or an error: it
// is not, and is dropped.
func (r *tokenReconciler) pending(ctx context.Context, s *credential.State, cache *credential.ObjectCache) (*credential.Publication, *credential.Failure, error) {
	req, f, err := r.request(ctx, s)
	if f != nil || err != nil {
		return nil, f, err
	}
	p := cache.Token.Pending
	// One that was issued for another client Secret is not taken for this one's, even if the values are the same: that would tell that they are.
	stillAsked := p.Persisted.SpecHash == s.Desired.SpecHash && p.Request.Fingerprint(r.salt) == req.Fingerprint(r.salt)
	if stillAsked && !p.Persisted.Expired(s.Now) {
		return p, nil, nil
	}
	cache.Token.Pending = nil
	return nil, nil, nil
}

func (r *tokenReconciler) attempt(cache *credential.ObjectCache) *credential.Attempt {
	return &credential.Attempt{Cache: cache, Salt: r.salt, Jitter: r.Jitter}
}

// reserve asks the endpoint's gate for a place. Both nil: nobody is called.
func (r *tokenReconciler) reserve(s *credential.State, plan credential.Plan) (*egress.Reservation, *egress.Delay) {
	if !s.Desired.Flow.Exchanges() {
		return nil, nil
	}
	reservation, delay := r.Gate.Reserve(r.Clock.Now(), credential.GateRequest(s, plan.Cause))
	if delay != nil {
		r.metrics.Blocked(delay.Reason)
	}
	return reservation, delay
}
