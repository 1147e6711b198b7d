package controllers

import (
	"cmp"
	"context"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/telemetry"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// act does what was planned. An error is the API server's and makes the pass be tried again.
func (r *tokenReconciler) act(ctx context.Context, s *credential.State, cache *objectCache, plan credential.Plan) (credential.Result, error) {
	switch plan.Action {
	case credential.ActionIssue, credential.ActionUpdate:
		return r.issue(ctx, s, cache, plan)
	}
	cache.token.HeldUpSince = time.Time{}
	if plan.Action == credential.ActionRewrite {
		result, err := r.rewrite(ctx, s, cache)
		if f := result.Failure; f != nil && f.WriteRefused && plan.Keep {
			result.Failure, result.Unwritable = nil, true
		}
		// The exchange that it did not wait for is still to come.
		result.Waiting = result.Waiting || result.Failure == nil && plan.Failure == nil && !plan.Keep && !plan.At.IsZero()
		if result.Failure == nil {
			result.Failure = plan.Failure
		}
		result.At = credential.Sooner(result.At, plan.At)
		return result, err
	}
	r.Gate.Withdraw(r.Clock.Now(), credential.ObjectName(s.Object))
	return credential.NoAction(plan), nil
}

// issue gets a token and publishes it.
func (r *tokenReconciler) issue(ctx context.Context, s *credential.State, cache *objectCache, plan credential.Plan) (credential.Result, error) {
	if cache.target.Terminating {
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

// A tokenReconciler gets tokens and publishes them.
type tokenReconciler struct {
	*targetWriter
	*Endpoints
	metrics *telemetry.Metrics
}

// sameToken is what comes of an answer with the held token. It is not written again, unless the record is to say that it is also what another request
// has given, or what has come of a refusal by the API.
func (r *tokenReconciler) sameToken(s *credential.State, cache *objectCache, plan credential.Plan, req exchange.Request, got exchange.Token) (*credential.Publication, credential.Result) {
	cache.token.CountUnpublished(s)
	cache.token.RepeatedAt, cache.token.Throttled = s.Now, nil
	if plan.Cause == credential.CauseRenewal {
		if !s.Current.HoldsToken(s.Now) { // it was a little early
			return nil, r.endless(s, cache)
		}
		s.Repeated = true
	}
	rec := *s.Current.Persisted
	// The record says for what was asked last, else a change to another Secret of the same client would call for an exchange again and again.
	recorded := rec.SpecHash == s.Desired.SpecHash && credential.CompareRequests(&rec, req) == credential.Same
	if recorded && plan.Cause != credential.CauseRejected && credential.Drift(s) == credential.NoDrift {
		return nil, credential.Result{Repeated: true}
	}
	if plan.Cause == credential.CauseRejected {
		rec.Cause = credential.CauseRejected
	}
	credential.DescribeRequest(&rec, s, req)
	rec.HandledRequest, rec.Issuance = credential.RefreshRequest(s.Object), s.Issuance
	return credential.Republication(req, rec, got.Value), credential.Result{}
}

// endless is what comes of the held token when it should have ended: a little patience, and then a failure.
func (r *tokenReconciler) endless(s *credential.State, cache *objectCache) credential.Result {
	if cache.token.Repeats++; cache.token.Repeats <= credential.MaxRepeats {
		return credential.Result{Waiting: true, At: s.Now.Add(credential.AfterExpiry)}
	}
	cache.token.Repeats = 0
	err := &exchange.Error{Kind: exchange.Malformed, Detail: "the endpoint hands out a token that has ended", Cause: token.ErrExpired}
	return r.attempted(s, cache, credential.FailureOf(s, err, r.Jitter()))
}

// obtain gives the token that is to be published: one that waits for it already, or a new one. Nil without an error: the outcome says why.
func (r *tokenReconciler) obtain(ctx context.Context, s *credential.State, cache *objectCache, plan credential.Plan) (*credential.Publication, credential.Result, error) {
	if cache.token.Pending != nil {
		if p, f, err := r.pending(ctx, s, cache); p != nil || f != nil || err != nil {
			return p, r.attempted(s, cache, f), err
		}
		return nil, credential.Result{Waiting: true, At: s.Now}, nil // it is decided again without it: the next one may have to wait for its turn
	}
	if f, err := r.stillThrottled(ctx, s, cache); f != nil || err != nil {
		return nil, r.attempted(s, cache, f), err
	}
	if earliest, early := credential.EarliestAttempt(s); !earliest.IsZero() && !early {
		return nil, credential.Result{Waiting: true, At: earliest}, nil // plan leaves this to us where there may be a 429 to tell of
	}
	reservation, delay := r.reserve(s, plan)
	if delay != nil {
		cache.token.HeldUpSince = credential.Sooner(cache.token.HeldUpSince, cache.apiFailure.Since, delay.Since)
		return nil, credential.Result{Waiting: true, At: s.Now.Add(delay.For), HeldUp: &credential.HoldUp{By: credential.HoldUpCauseOf(delay.Reason), Since: cache.token.HeldUpSince}}, nil
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
	cache.token.HeldUpSince = time.Time{}
	req.ClockOffset = cache.token.Assertions.Offset
	got, result, err := r.exchange(ctx, s, plan, req)
	learned = result
	if err != nil {
		out, err := r.refused(ctx, s, cache, plan, req, err)
		return nil, out, err
	}
	return r.received(s, cache, plan, req, got)
}

// received makes of a token what is to be published.
func (r *tokenReconciler) received(s *credential.State, cache *objectCache, plan credential.Plan, req exchange.Request, got exchange.Token) (*credential.Publication, credential.Result, error) {
	cache.token.Assertions.Accepted(got.Life.Skew, got.Life.SkewKnown)
	got.Life.Skew = r.clocks().LocalSkew(got.Life)
	if plan.Action == credential.ActionIssue && credential.IsCurrentToken(s, got) && !credential.EndsLater(s, got) {
		p, result := r.sameToken(s, cache, plan, req, got)
		if p != nil {
			cache.token.Pending = p
		}
		return p, result, nil
	}
	cache.token.Repeats = 0
	var salt []byte
	if plan.Action != credential.ActionUpdate {
		var err error
		if salt, err = r.random(16); err != nil {
			return nil, credential.Result{}, err
		}
	}
	p := credential.NewPublication(s, plan, req, got, salt)
	cache.token.Pending = p
	if s.Desired.Flow.Exchanges() { // which has asked nobody
		cache.token.Throttled = nil
	}
	if plan.Action == credential.ActionIssue && p.Persisted.Issuance != nil {
		cache.token.IssuedAt, cache.token.Issuance = p.Persisted.IssuedAt, p.Persisted.Issuance
		s.Issuance = cache.token.Issuance
	}
	return p, credential.Result{}, nil
}

// prepared is the request as it is to be sent, once nothing is in its way any more. An outcome says what is.
func (r *tokenReconciler) prepared(ctx context.Context, s *credential.State, cache *objectCache, plan credential.Plan) (exchange.Request, *credential.Result, error) {
	req, f, err := r.request(ctx, s)
	if f != nil || err != nil {
		return req, new(r.attempted(s, cache, f)), err
	}
	takenBack := plan.Cause == credential.CauseChanged && s.Desired.Flow.Exchanges() && s.Current.Persisted.SpecHash == s.Desired.SpecHash && credential.CompareRequests(s.Current.Persisted, req) == credential.Same
	if takenBack {
		return req, &credential.Result{Waiting: true, At: s.Now.Add(credential.MaxLag)}, nil // which the cache is going to show
	}
	if result, err := r.rehearse(ctx, s, cache, plan, req); result.Failure != nil || result.Waiting || err != nil {
		_ = r.attempted(s, cache, result.Failure)
		return req, &result, err
	}
	if plan.Action == credential.ActionUpdate {
		req.HeldToken, err = r.valueToKeep(ctx, s, cache)
	}
	return req, nil, err
}

// stillThrottled is what was reported of the last attempt that was answered with 429, while its time has not come and the same would be sent: in
// status something that was in the way meanwhile may have taken its place. Nil: there is no such attempt.
func (r *tokenReconciler) stillThrottled(ctx context.Context, s *credential.State, cache *objectCache) (*credential.Failure, error) {
	if cache.token.Throttled == nil || cache.token.Throttled.Asked != s.Desired.SpecHash || credential.Insists(s) {
		return nil, nil // under another client Secret it is another client, even one of the same values: to wait for it would tell that they are the same
	}
	again := cache.token.Throttled.Failure
	if !s.Now.Before(again.RetryAt) {
		cache.token.Throttled = nil
		return nil, nil
	}
	req, f, err := r.request(ctx, s)
	if f != nil || err != nil {
		return f, err
	}
	if req.Fingerprint(r.salt) != cache.token.Throttled.Request {
		return nil, nil
	}
	return &again, nil
}

// pending gives the token that was issued and could not yet be written, if it is still what is asked for. Nil without a failure or an error: it
// is not, and is dropped.
func (r *tokenReconciler) pending(ctx context.Context, s *credential.State, cache *objectCache) (*credential.Publication, *credential.Failure, error) {
	req, f, err := r.request(ctx, s)
	if f != nil || err != nil {
		return nil, f, err
	}
	p := cache.token.Pending
	// One that was issued for another client Secret is not taken for this one's, even if the values are the same: that would tell that they are.
	stillAsked := p.Persisted.SpecHash == s.Desired.SpecHash && p.Request.Fingerprint(r.salt) == req.Fingerprint(r.salt)
	if stillAsked && !p.Persisted.Expired(s.Now) {
		return p, nil, nil
	}
	cache.token.Pending = nil
	return nil, nil, nil
}

// attempted remembers what a failed attempt was made with, so that a change of mere metadata is not taken for a reason to try again.
func (r *tokenReconciler) attempted(s *credential.State, cache *objectCache, f *credential.Failure) credential.Result {
	if f != nil && f.Attempted {
		cache.client.Attempted(s, r.salt)
	}
	return credential.Result{Failure: f}
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
