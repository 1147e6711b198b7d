package controllers

import (
	"context"
	"errors"
	"fmt"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/telemetry"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

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

// refused says what comes of an attempt that gave no token.
func (r *tokenReconciler) refused(ctx context.Context, s *credential.State, cache *objectCache, plan credential.Plan, req exchange.Request, err error) (credential.Result, error) {
	if ctx.Err() != nil {
		return credential.Result{}, fmt.Errorf("exchange: %w", ctx.Err()) // we are being stopped, which is nobody's failure
	}
	if wait, ok := errors.AsType[*exchange.KeyWaitError](err); ok {
		return credential.Result{Waiting: true, At: s.Now.Add(wait.For)}, nil
	}
	if plan.Action == credential.ActionUpdate && credential.IsRefusal(err) {
		// The vendor does not change this token any more: a new one will do, if the budget has one.
		cache.token.UpdateRefused = s.Current.Persisted.TokenMAC
		return credential.Result{Waiting: true, At: s.Now}, nil
	}
	if skew, ok := credential.RefusedAssertion(req, err); ok && cache.token.Assertions.Refused(req.ClockOffset, skew) {
		// With the endpoint's time it may be as good as any.
		return credential.Result{Waiting: true, At: s.Now.Add(credential.MinIssueInterval)}, nil
	}
	if e, ok := errors.AsType[*exchange.Error](err); ok && e.Issued && plan.Action == credential.ActionIssue {
		cache.token.CountUnpublished(s)
	}
	if credential.EndedToken(s, plan, err) {
		return r.endless(s, cache), nil
	}
	f := credential.FailureOf(s, err, r.Jitter())
	if f == nil {
		return credential.Result{}, err
	}
	if f.Reason == v1alpha1.ReasonThrottled {
		cache.token.Throttled = &credential.ThrottledAttempt{Asked: s.Desired.SpecHash, Request: req.Fingerprint(r.salt), Failure: *f}
	}
	return r.attempted(s, cache, f), nil
}
