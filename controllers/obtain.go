package controllers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// sameToken is what comes of an answer with the held token. It is not written again, unless the record is to say that it is also what another request
// has given, or what has come of a refusal by the API.
func (r *CDPCredentialReconciler) sameToken(s *credential.State, mem *remembered, plan credential.Plan, req exchange.Request, got exchange.Token) (*credential.Publication, credential.Result) {
	r.count(s, mem)
	mem.repeatedAt, mem.throttled = s.Now, nil
	if plan.Cause == credential.CauseRenewal {
		if !s.Current.HoldsToken(s.Now) { // it was a little early
			return nil, r.endless(s, mem)
		}
		s.Repeated = true
	}
	rec := *s.Current.Persisted
	// The record says for what was asked last, else a change to another Secret of the same client would call for an exchange again and again.
	recorded := rec.SpecHash == s.Desired.SpecHash && credential.CompareRequests(&rec, req) == credential.Same
	if recorded && plan.Cause != credential.CauseRejected && !credential.TargetDrifted(s) {
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
func (r *CDPCredentialReconciler) endless(s *credential.State, mem *remembered) credential.Result {
	if mem.repeats++; mem.repeats <= credential.MaxRepeats {
		return credential.Result{Waiting: true, At: s.Now.Add(credential.AfterExpiry)}
	}
	mem.repeats = 0
	err := &exchange.Error{Kind: exchange.Malformed, Detail: "the endpoint hands out a token that has ended", Cause: token.ErrExpired}
	return r.attempted(s, mem, credential.FailureOf(s, err, r.Chance()))
}

// obtain gives the token that is to be published: one that waits for it already, or a new one. Nil without an error: the outcome says why.
func (r *CDPCredentialReconciler) obtain(ctx context.Context, s *credential.State, mem *remembered, plan credential.Plan) (*credential.Publication, credential.Result, error) {
	if mem.pending != nil {
		if p, f, err := r.pending(ctx, s, mem); p != nil || f != nil || err != nil {
			return p, r.attempted(s, mem, f), err
		}
		return nil, credential.Result{Waiting: true, At: s.Now}, nil // it is decided again without it: the next one may have to wait for its turn
	}
	if f, err := r.stillThrottled(ctx, s, mem); f != nil || err != nil {
		return nil, r.attempted(s, mem, f), err
	}
	if earliest, early := credential.EarliestAttempt(s); !earliest.IsZero() && !early {
		return nil, credential.Result{Waiting: true, At: earliest}, nil // plan leaves this to us where there may be a 429 to tell of
	}
	reservation, delay := r.reserve(s, plan)
	if delay != nil {
		mem.heldUpSince = credential.Sooner(mem.heldUpSince, mem.apiFailure.since, delay.Since)
		return nil, credential.Result{Waiting: true, At: s.Now.Add(delay.For), HeldUp: &credential.HoldUp{By: credential.HoldUpCauseOf(delay.Reason), Since: mem.heldUpSince}}, nil
	}
	learned := egress.Result{Kind: egress.Cancelled}
	defer func() {
		if reservation != nil {
			reservation.Done(r.Clock.Now(), learned)
		}
	}()

	req, out, err := r.prepared(ctx, s, mem, plan)
	if out != nil || err != nil {
		return nil, *cmp.Or(out, &credential.Result{}), err
	}
	mem.heldUpSince = time.Time{}
	req.ClockOffset = mem.assertions.Offset
	got, result, err := r.exchange(ctx, s, plan, req)
	learned = result
	if err != nil {
		out, err := r.refused(ctx, s, mem, plan, req, err)
		return nil, out, err
	}
	return r.received(s, mem, plan, req, got)
}

// received makes of a token what is to be published.
func (r *CDPCredentialReconciler) received(s *credential.State, mem *remembered, plan credential.Plan, req exchange.Request, got exchange.Token) (*credential.Publication, credential.Result, error) {
	mem.assertions.Accepted(got.Life.Skew, got.Life.SkewKnown)
	got.Life.Skew = r.clocks().LocalSkew(got.Life)
	if plan.Action == credential.ActionIssue && credential.IsCurrentToken(s, got) && !credential.EndsLater(s, got) {
		p, result := r.sameToken(s, mem, plan, req, got)
		if p != nil {
			mem.pending = p
		}
		return p, result, nil
	}
	mem.repeats = 0
	var salt []byte
	if plan.Action != credential.ActionUpdate {
		var err error
		if salt, err = r.random(16); err != nil {
			return nil, credential.Result{}, err
		}
	}
	p := credential.NewPublication(s, plan, req, got, salt)
	mem.pending = p
	if s.Desired.Flow.Exchanges() { // which has asked nobody
		mem.throttled = nil
	}
	if plan.Action == credential.ActionIssue && p.Persisted.Issuance != nil {
		mem.issuedAt, mem.issuance = p.Persisted.IssuedAt, p.Persisted.Issuance
		s.Issuance = mem.issuance
	}
	return p, credential.Result{}, nil
}

// prepared is the request as it is to be sent, once nothing is in its way any more. An outcome says what is.
func (r *CDPCredentialReconciler) prepared(ctx context.Context, s *credential.State, mem *remembered, plan credential.Plan) (exchange.Request, *credential.Result, error) {
	req, f, err := r.request(ctx, s)
	if f != nil || err != nil {
		return req, new(r.attempted(s, mem, f)), err
	}
	takenBack := plan.Cause == credential.CauseChanged && s.Desired.Flow.Exchanges() && s.Current.Persisted.SpecHash == s.Desired.SpecHash && credential.CompareRequests(s.Current.Persisted, req) == credential.Same
	if takenBack {
		return req, &credential.Result{Waiting: true, At: s.Now.Add(mostLag)}, nil // which the cache is going to show
	}
	if result, err := r.rehearse(ctx, s, mem, plan, req); result.Failure != nil || result.Waiting || err != nil {
		_ = r.attempted(s, mem, result.Failure)
		return req, &result, err
	}
	if plan.Action == credential.ActionUpdate {
		req.HeldToken, err = r.valueToKeep(ctx, s, mem)
	}
	return req, nil, err
}

// stillThrottled is what was reported of the last attempt that was answered with 429, while its time has not come and the same would be sent: in
// status something that was in the way meanwhile may have taken its place. Nil: there is no such attempt.
func (r *CDPCredentialReconciler) stillThrottled(ctx context.Context, s *credential.State, mem *remembered) (*credential.Failure, error) {
	if mem.throttled == nil || mem.throttled.asked != s.Desired.SpecHash || credential.Insists(s) {
		return nil, nil // under another client Secret it is another client, even one of the same values: to wait for it would tell that they are the same
	}
	again := mem.throttled.failure
	if !s.Now.Before(again.RetryAt) {
		mem.throttled = nil
		return nil, nil
	}
	req, f, err := r.request(ctx, s)
	if f != nil || err != nil {
		return f, err
	}
	if req.Fingerprint(r.salt[:]) != mem.throttled.request {
		return nil, nil
	}
	return &again, nil
}

// pending gives the token that was issued and could not yet be written, if it is still what is asked for. Nil without a failure or an error: it
// is not, and is dropped.
func (r *CDPCredentialReconciler) pending(ctx context.Context, s *credential.State, mem *remembered) (*credential.Publication, *credential.Failure, error) {
	req, f, err := r.request(ctx, s)
	if f != nil || err != nil {
		return nil, f, err
	}
	p := mem.pending
	// One that was issued for another client Secret is not taken for this one's, even if the values are the same: that would tell that they are.
	stillAsked := p.Persisted.SpecHash == s.Desired.SpecHash && p.Request.Fingerprint(r.salt[:]) == req.Fingerprint(r.salt[:])
	if stillAsked && !p.Persisted.Expired(s.Now) {
		return p, nil, nil
	}
	mem.pending = nil
	return nil, nil, nil
}

// exchange makes the one attempt. The view's time is that of after it: what is waited out is counted from then, and not from before a time-out.
func (r *CDPCredentialReconciler) exchange(ctx context.Context, s *credential.State, plan credential.Plan, req exchange.Request) (exchange.Token, egress.Result, error) {
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
		r.Metrics.Exchanged(s.Desired.Flow.Provider, result, reason, s.Now.Sub(began))
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
func (r *CDPCredentialReconciler) refused(ctx context.Context, s *credential.State, mem *remembered, plan credential.Plan, req exchange.Request, err error) (credential.Result, error) {
	if ctx.Err() != nil {
		return credential.Result{}, fmt.Errorf("exchange: %w", ctx.Err()) // we are being stopped, which is nobody's failure
	}
	if wait, ok := errors.AsType[*exchange.KeyWaitError](err); ok {
		return credential.Result{Waiting: true, At: s.Now.Add(wait.For)}, nil
	}
	if plan.Action == credential.ActionUpdate && credential.IsRefusal(err) {
		// The vendor does not change this token any more: a new one will do, if the budget has one.
		mem.updateRefused = s.Current.Persisted.TokenMAC
		return credential.Result{Waiting: true, At: s.Now}, nil
	}
	if skew, ok := credential.RefusedAssertion(req, err); ok && mem.assertions.Refused(req.ClockOffset, skew) {
		// With the endpoint's time it may be as good as any.
		return credential.Result{Waiting: true, At: s.Now.Add(credential.MinIssueInterval)}, nil
	}
	if e, ok := errors.AsType[*exchange.Error](err); ok && e.Issued && plan.Action == credential.ActionIssue {
		r.count(s, mem)
	}
	if credential.EndedToken(s, plan, err) {
		return r.endless(s, mem), nil
	}
	f := credential.FailureOf(s, err, r.Chance())
	if f == nil {
		return credential.Result{}, err
	}
	if f.Reason == v1alpha1.ReasonThrottled {
		mem.throttled = &throttledAttempt{asked: s.Desired.SpecHash, request: req.Fingerprint(r.salt[:]), failure: *f}
	}
	return r.attempted(s, mem, f), nil
}

// count counts a token that was issued and is not published: the vendor has counted it, too.
func (r *CDPCredentialReconciler) count(s *credential.State, mem *remembered) {
	count := credential.IssuedToday(s)
	count.Count++
	mem.issuance, s.Issuance = &count, &count
}

// attempted remembers what a failed attempt was made with, so that a change of mere metadata is not taken for a reason to try again.
func (r *CDPCredentialReconciler) attempted(s *credential.State, mem *remembered, f *credential.Failure) credential.Result {
	if f != nil && f.Attempted {
		mem.client.version, mem.client.asked, mem.client.against, mem.client.request = s.Client.Version, s.Desired.SpecHash, "", ""
		if s.Client.Content != nil {
			if req, err := s.Desired.Request(s.Client.Content); err == nil {
				mem.client.request = credential.AttemptFingerprint(r.salt[:], s, req)
			}
		}
		mem.client.attempt = mem.client.request
	}
	return credential.Result{Failure: f}
}

// request reads the client Secret and makes the request of it. What cannot be sent is a failure.
func (r *CDPCredentialReconciler) request(ctx context.Context, s *credential.State) (exchange.Request, *credential.Failure, error) {
	if err := r.readClient(ctx, s); err != nil {
		return exchange.Request{}, nil, err
	}
	if f := credential.FindBlocker(s, credential.ActionNone); f != nil { // the cache may have been behind
		return exchange.Request{}, f, nil
	}
	if f := credential.LiveConsent(s); f != nil {
		return exchange.Request{}, f, nil
	}
	req, err := s.Desired.Request(s.Client.Content)
	if err == nil {
		err = req.Check()
	}
	if err != nil {
		return exchange.Request{}, credential.FailureOf(s, err, 0), nil
	}
	return req, nil, nil
}

// random gives unpredictable bytes.
func (r *CDPCredentialReconciler) random(n int) ([]byte, error) {
	bytes := make([]byte, n)
	if _, err := r.Rand.Read(bytes); err != nil {
		return nil, fmt.Errorf("read random bytes: %w", err)
	}
	return bytes, nil
}

// reserve asks the endpoint's gate for a place. Both nil: nobody is called.
func (r *CDPCredentialReconciler) reserve(s *credential.State, plan credential.Plan) (*egress.Reservation, *egress.Delay) {
	if !s.Desired.Flow.Exchanges() {
		return nil, nil
	}
	reservation, delay := r.Gate.Reserve(r.Clock.Now(), credential.GateRequest(s, plan.Cause))
	if delay != nil {
		r.Metrics.Blocked(delay.Reason)
	}
	return reservation, delay
}
