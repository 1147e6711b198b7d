// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/telemetry"
)

// A tokenReconciler requests tokens and publishes them.
type tokenReconciler struct {
	*targetWriter
	*Endpoints
	metrics *telemetry.Metrics
}

// takeTurn asks the endpoint's gate for a reservation. Once it has one, it reads the client Secret.
func (r *tokenReconciler) takeTurn(ctx context.Context, s *credential.State, cache *credential.ObjectCache, plan credential.Plan, seen *sight) error {
	place, delay := r.Gate.Reserve(r.Clock.Now(), credential.GateRequest(s, plan.Cause))
	if delay != nil {
		r.metrics.Blocked(delay.Reason)
		cache.Token.HeldUpSince = credential.Earliest(cache.Token.HeldUpSince, cache.APIFailure.Since, delay.Since)
		seen.turn = credential.Turn{Delay: delay, Since: cache.Token.HeldUpSince}
		return nil
	}
	seen.place, seen.turn = place, credential.Turn{Granted: true}
	return r.readClient(ctx, s.Object, seen)
}

// act carries the plan out and returns the resulting state. An error comes from the API server and makes the queue retry.
func (r *tokenReconciler) act(ctx context.Context, s *credential.State, cache *credential.ObjectCache, plan credential.Plan, place *egress.Reservation) (*credential.State, credential.Result, error) {
	if plan.HeldUp == nil {
		cache.Token.HeldUpSince = time.Time{}
	}
	switch plan.Action {
	case credential.ActionIssue, credential.ActionUpdate:
		return r.issue(ctx, s, cache, plan, place)
	case credential.ActionRewrite:
		return r.rewrite(ctx, s, cache, plan)
	}
	if plan.HeldUp == nil {
		r.Gate.Withdraw(r.Clock.Now(), credential.ObjectName(s.Object))
	}
	r.attempt(cache).Failed(s, plan.Failure)
	return s, credential.NoAction(plan), nil
}

// issue publishes the pending token, or requests a new one and publishes it.
func (r *tokenReconciler) issue(ctx context.Context, s *credential.State, cache *credential.ObjectCache, plan credential.Plan, place *egress.Reservation) (*credential.State, credential.Result, error) {
	p, asked := plan.Publish, s
	if p == nil {
		if result, err := r.rehearse(ctx, s, cache, plan); result.Failure != nil || result.Waiting || err != nil {
			return s, result, err
		}
		var result credential.Result
		var err error
		if p, asked, result, err = r.ask(ctx, s, cache, plan, place); p == nil || err != nil {
			return asked, result, err
		}
	}
	after, result, err := r.publish(ctx, asked, cache, p)
	if isNew := plan.Action == credential.ActionIssue && !p.Repeated; result.Wrote && isNew && s.Desired.Flow.Exchanges() {
		result.Issued = credential.NewIssuedToken(asked, plan, p, r.Clock.Now())
	}
	return after, result, err
}

// ask makes one attempt. It returns the token to publish or the failure, and the state at the attempt's end: backoff starts when the attempt ended,
// not when it began.
func (r *tokenReconciler) ask(ctx context.Context, s *credential.State, cache *credential.ObjectCache, plan credential.Plan, place *egress.Reservation) (*credential.Publication, *credential.State, credential.Result, error) {
	got, learned, err := r.exchange(ctx, s, plan)
	after := s.At(r.Clock.Now())
	if place != nil {
		place.Done(after.Now, learned)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, s, credential.Result{}, fmt.Errorf("exchange: %w", ctx.Err()) // shutting down, which is not a failure
	case err != nil:
		result, err := r.attempt(cache).Refused(after, plan, err)
		return nil, after, result, err
	}
	got.Life.Skew = r.clocks().LocalSkew(got.Life)
	salt, err := r.random(16)
	if err != nil {
		return nil, after, credential.Result{}, err
	}
	p, result := r.attempt(cache).Received(after, plan, got, salt)
	return p, after, result, nil
}

// exchange sends the request and returns what the gate learns from the answer. Every request that was sent is counted and audited.
func (r *tokenReconciler) exchange(ctx context.Context, s *credential.State, plan credential.Plan) (exchange.Token, egress.Result, error) {
	cancelled := egress.Result{Kind: egress.Cancelled}
	roots := s.Roots(s.Desired.Endpoint)
	transport, err := r.Transports.For(s.Object.Namespace, roots)
	if err != nil {
		return exchange.Token{}, cancelled, err
	}
	began := r.Clock.Now()
	got, err := r.Exchanger.Exchange(ctx, transport, plan.Request)
	ended := r.Clock.Now()
	if credential.NeverSent(err) {
		return got, cancelled, err
	}
	learned := credential.GateResult(err, roots != nil)
	if err != nil && ctx.Err() != nil {
		learned = cancelled
	}
	if err == nil {
		err = credential.DeadOnArrival(got, ended)
	}
	if s.Desired.Flow.Exchanges() { // otherwise nothing has left the cluster
		result, reason := exchangeResult(plan.Action, err)
		r.metrics.Exchanged(s.Desired.Flow.Provider, result, reason, ended.Sub(began))
		audit(ctx, s, plan, result, reason)
	}
	return got, learned, err
}

// exchangeResult returns the labels of an attempt, for the metric and the audit line.
func exchangeResult(did credential.Action, err error) (result, reason string) {
	switch {
	case err != nil:
		return telemetry.Failure, credential.ReasonOf(err)
	case did == credential.ActionUpdate:
		return telemetry.Success, "ResourcesUpdated" // the same token
	}
	return telemetry.Success, v1alpha1.ReasonTokenIssued
}

// audit logs one line for each attempt: which Secret was sent where, for which object and why. Its keys are documented (docs/operations.md); it
// contains names and reasons only.
func audit(ctx context.Context, s *credential.State, plan credential.Plan, result, reason string) {
	ctrl.LoggerFrom(ctx).WithName("audit").Info("Exchange",
		"credential", credential.ObjectName(s.Object), "secret", s.Object.Spec.ClientSecretRef.Name, "target", s.Object.Spec.Target.Name,
		"host", s.Desired.Endpoint.String(), "provider", s.Desired.Flow.Provider, "cause", string(plan.Cause), "result", result, "reason", reason)
}

// rewrite publishes the current token again.
func (r *tokenReconciler) rewrite(ctx context.Context, s *credential.State, cache *credential.ObjectCache, plan credential.Plan) (*credential.State, credential.Result, error) {
	cache.Target.CountRewrite(s.Now)
	after, result, err := r.publish(ctx, s, cache, plan.Publish)
	return after, result.WhileWaiting(plan), err
}

// rehearse sends the write of the target as a dry run, after one was refused: no token is requested that could not be written. It returns what blocks
// the write.
func (r *tokenReconciler) rehearse(ctx context.Context, s *credential.State, cache *credential.ObjectCache, plan credential.Plan) (credential.Result, error) {
	if !plan.Rehearses(s) {
		return credential.Result{}, nil
	}
	salt, err := r.random(16)
	if err != nil {
		return credential.Result{}, err
	}
	if _, err = r.write(ctx, s, credential.NewRehearsal(s, plan, salt)); err == nil {
		return credential.Result{}, nil
	}
	result, err := r.unwritten(ctx, s, cache, err)
	r.attempt(cache).Failed(s, result.Failure)
	return result, err
}

// publish writes the target and returns the state after the write.
func (r *tokenReconciler) publish(ctx context.Context, s *credential.State, cache *credential.ObjectCache, p *credential.Publication) (*credential.State, credential.Result, error) {
	version, err := r.write(ctx, s, p)
	if err != nil {
		if errors.Is(err, credential.ErrConflict) {
			cache.Token.Pending = p // keep it, even if the Secret that it came from is deleted now
		}
		result, err := r.unwritten(ctx, s, cache, err)
		if unknown := err != nil && !errors.Is(err, credential.ErrConflict) && !errors.Is(err, credential.ErrSuperseded); unknown {
			cache.Target.Uncertain = cache.Token.Pending == nil // a pending token is written again in any case
		}
		return s, result, err
	}
	after := s.Published(p, version)
	result := credential.Written(s, version)
	cache.Token.Pending, cache.Target.Confirmed, cache.Target.Uncertain = nil, true, false
	cache.Target.SawTarget(after.Target.Seen())
	return after, result, nil
}

// unwritten returns the result of a write that failed.
func (r *tokenReconciler) unwritten(ctx context.Context, s *credential.State, cache *credential.ObjectCache, err error) (credential.Result, error) {
	switch {
	case errors.Is(err, credential.ErrConflict):
		return credential.Result{}, err
	case errors.Is(err, credential.ErrSuperseded):
		cache.Token.Pending = nil
		return credential.Result{}, err
	case errors.Is(err, credential.ErrNamespaceTerminating):
		cache.Target.Terminating, cache.Token.Pending = true, nil
		return credential.Result{Waiting: true}, nil
	}
	refusal, ok := credential.WriteRefusalOf(err)
	if !ok {
		return credential.Result{}, err
	}
	ctrl.LoggerFrom(ctx).Info("The API server refused the write of the target Secret", "secret", s.Target.Name, "answer", refusal.Answer, "by", refusal.By)
	return credential.Result{Failure: refusal.Failure(s)}, nil
}

func (r *tokenReconciler) attempt(cache *credential.ObjectCache) *credential.Attempt {
	return &credential.Attempt{Cache: cache, Jitter: r.Jitter}
}
