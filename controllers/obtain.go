package controllers

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// obtain gives the token that is to be published: one that waits for it already, or a new one. Nil without an error: the outcome says why.
func (r *CDPCredentialReconciler) obtain(ctx context.Context, v *view, mem *remembered, s step) (*publication, outcome, error) {
	if mem.pending != nil {
		if p, f, err := r.pending(ctx, v, mem); p != nil || f != nil || err != nil {
			return p, r.attempted(v, mem, f), err
		}
		return nil, outcome{waiting: true, at: v.now}, nil // it is decided again without it: the next one may have to wait for its turn
	}
	if f, err := r.stillThrottled(ctx, v, mem); f != nil || err != nil {
		return nil, r.attempted(v, mem, f), err
	}
	if earliest, early := earliestAttempt(v); !earliest.IsZero() && !early {
		return nil, outcome{waiting: true, at: earliest}, nil // plan leaves this to us where there may be a 429 to tell of
	}
	reservation, delay := r.reserve(v, s)
	if delay != nil {
		mem.heldUpSince = sooner(mem.heldUpSince, mem.apiFailure.since, delay.Since)
		return nil, outcome{waiting: true, at: v.now.Add(delay.For), heldUp: &holdUp{by: heldUpBy(delay.Reason), since: mem.heldUpSince}}, nil
	}
	learned := egress.Result{Kind: egress.Cancelled}
	defer func() {
		if reservation != nil {
			reservation.Done(r.Clock.Now(), learned)
		}
	}()

	req, out, err := r.prepared(ctx, v, mem, s)
	if out != nil || err != nil {
		return nil, *cmp.Or(out, &outcome{}), err
	}
	mem.heldUpSince = time.Time{}
	req.ClockOffset = mem.assertions.offset
	got, result, err := r.exchange(ctx, v, s, req)
	learned = result
	if err != nil {
		out, err := r.refused(ctx, v, mem, s, req, err)
		return nil, out, err
	}
	return r.received(v, mem, s, req, got)
}

// received makes of a token what is to be published.
func (r *CDPCredentialReconciler) received(v *view, mem *remembered, s step, req exchange.Request, got exchange.Token) (*publication, outcome, error) {
	mem.assertions.accepted(got.Life.Skew, got.Life.SkewKnown)
	got.Life.Skew = r.localSkew(got.Life)
	if s.action == issue && isHeld(v, got) && !endsLater(v, got) {
		p, out := r.sameToken(v, mem, s, req, got)
		if p != nil {
			mem.pending = p
		}
		return p, out, nil
	}
	mem.repeats = 0
	p, err := r.publicationOf(v, s, req, got)
	if err != nil {
		return nil, outcome{}, err
	}
	mem.pending = p
	if v.intent.flow.Exchanges() { // which has asked nobody
		mem.throttled = nil
	}
	if s.action == issue && p.rec.Issuance != nil {
		mem.issuedAt, mem.issuance = p.rec.IssuedAt, p.rec.Issuance
		v.issuance = mem.issuance
	}
	return p, outcome{}, nil
}

// prepared is the request as it is to be sent, once nothing is in its way any more. An outcome says what is.
func (r *CDPCredentialReconciler) prepared(ctx context.Context, v *view, mem *remembered, s step) (exchange.Request, *outcome, error) {
	req, f, err := r.request(ctx, v)
	if f != nil || err != nil {
		return req, new(r.attempted(v, mem, f)), err
	}
	takenBack := s.cause == causeChanged && v.intent.flow.Exchanges() && v.held.rec.Asked == v.intent.asked && compareRequests(v.held.rec, req) == same
	if takenBack {
		return req, &outcome{waiting: true, at: v.now.Add(mostLag)}, nil // which the cache is going to show
	}
	if out, err := r.rehearse(ctx, v, mem, s, req); out.failure != nil || out.waiting || err != nil {
		_ = r.attempted(v, mem, out.failure)
		return req, &out, err
	}
	if s.action == update {
		req.HeldToken, err = r.valueToKeep(ctx, v, mem)
	}
	return req, nil, err
}

// stillThrottled is what was reported of the last attempt that was answered with 429, while its time has not come and the same would be sent: in
// status something that was in the way meanwhile may have taken its place. Nil: there is no such attempt.
func (r *CDPCredentialReconciler) stillThrottled(ctx context.Context, v *view, mem *remembered) (*failure, error) {
	if mem.throttled == nil || mem.throttled.asked != v.intent.asked || insists(v) {
		return nil, nil // under another client Secret it is another client, even one of the same values: to wait for it would tell that they are the same
	}
	again := mem.throttled.failure
	if !v.now.Before(again.retryAt) {
		mem.throttled = nil
		return nil, nil
	}
	req, f, err := r.request(ctx, v)
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
func (r *CDPCredentialReconciler) pending(ctx context.Context, v *view, mem *remembered) (*publication, *failure, error) {
	req, f, err := r.request(ctx, v)
	if f != nil || err != nil {
		return nil, f, err
	}
	p := mem.pending
	// One that was issued for another client Secret is not taken for this one's, even if the values are the same: that would tell that they are.
	stillAsked := p.rec.Asked == v.intent.asked && p.req.Fingerprint(r.salt[:]) == req.Fingerprint(r.salt[:])
	if stillAsked && !p.rec.expired(v.now) {
		return p, nil, nil
	}
	mem.pending = nil
	return nil, nil, nil
}

// exchange makes the one attempt. The view's time is that of after it: what is waited out is counted from then, and not from before a time-out.
func (r *CDPCredentialReconciler) exchange(ctx context.Context, v *view, s step, req exchange.Request) (exchange.Token, egress.Result, error) {
	transport, err := r.Transports.For(v.obj.Namespace, v.roots(v.intent.endpoint))
	if err != nil {
		return exchange.Token{}, egress.Result{Kind: egress.Cancelled}, err
	}
	began := r.Clock.Now()
	got, err := r.Exchanger.Exchange(ctx, transport, req)
	v.now = r.Clock.Now()
	if neverSent(err) {
		return got, egress.Result{Kind: egress.Cancelled}, err
	}
	if v.intent.flow.Exchanges() {
		result, reason := exchangeResult(s.action, err)
		r.Metrics.Exchanged(v.intent.flow.Provider, result, reason, v.now.Sub(began))
	}
	learned := resultOf(err, v.roots(v.intent.endpoint) != nil)
	switch {
	case err != nil && ctx.Err() != nil:
		learned = egress.Result{Kind: egress.Cancelled}
	case err == nil && !got.Life.ExpiresAt.IsZero() && !v.now.Before(got.Life.ExpiresAt):
		err = &exchange.Error{Kind: exchange.Malformed, Issued: true, Detail: "the token had expired before the answer was complete", Cause: token.ErrExpired}
	}
	audit(ctx, v, s, err)
	return got, learned, err
}

// refused says what comes of an attempt that gave no token.
func (r *CDPCredentialReconciler) refused(ctx context.Context, v *view, mem *remembered, s step, req exchange.Request, err error) (outcome, error) {
	if ctx.Err() != nil {
		return outcome{}, fmt.Errorf("exchange: %w", ctx.Err()) // we are being stopped, which is nobody's failure
	}
	if wait, ok := errors.AsType[*exchange.KeyWaitError](err); ok {
		return outcome{waiting: true, at: v.now.Add(wait.For)}, nil
	}
	if s.action == update && rejects(err) {
		// The vendor does not change this token any more: a new one will do, if the budget has one.
		mem.updateRefused = v.held.rec.Token
		return outcome{waiting: true, at: v.now}, nil
	}
	if skew, ok := refusedAssertion(req, err); ok && mem.assertions.refused(req.ClockOffset, skew) {
		// With the endpoint's time it may be as good as any.
		return outcome{waiting: true, at: v.now.Add(minInterval)}, nil
	}
	if e, ok := errors.AsType[*exchange.Error](err); ok && e.Issued && s.action == issue {
		r.count(v, mem)
	}
	if endedToken(v, s, err) {
		return r.endless(v, mem), nil
	}
	f := failureOf(v, err, r.Chance())
	if f == nil {
		return outcome{}, err
	}
	if f.reason == v1alpha1.ReasonThrottled {
		mem.throttled = &throttledAttempt{asked: v.intent.asked, request: req.Fingerprint(r.salt[:]), failure: *f}
	}
	return r.attempted(v, mem, f), nil
}

// count counts a token that was issued and is not published: the vendor has counted it, too.
func (r *CDPCredentialReconciler) count(v *view, mem *remembered) {
	count := issuance(v)
	count.Count++
	mem.issuance, v.issuance = &count, &count
}

// attempted remembers what a failed attempt was made with, so that a change of mere metadata is not taken for a reason to try again.
func (r *CDPCredentialReconciler) attempted(v *view, mem *remembered, f *failure) outcome {
	if f != nil && f.attempted {
		mem.client.version, mem.client.asked, mem.client.against, mem.client.request = v.client.version, v.intent.asked, "", ""
		if v.client.secret != nil {
			if req, err := v.intent.withClient(v.client.secret); err == nil {
				mem.client.request = r.attemptFingerprint(v, req)
			}
		}
		mem.client.attempt = mem.client.request
	}
	return outcome{failure: f}
}

// request reads the client Secret and makes the request of it. What cannot be sent is a failure.
func (r *CDPCredentialReconciler) request(ctx context.Context, v *view) (exchange.Request, *failure, error) {
	if err := r.readClient(ctx, v); err != nil {
		return exchange.Request{}, nil, err
	}
	if f := obstacle(v, nothing); f != nil { // the cache may have been behind
		return exchange.Request{}, f, nil
	}
	if f := liveConsent(v); f != nil {
		return exchange.Request{}, f, nil
	}
	req, err := v.intent.withClient(v.client.secret)
	if err == nil {
		err = req.Check()
	}
	if err != nil {
		return exchange.Request{}, failureOf(v, err, 0), nil
	}
	return req, nil, nil
}

// attemptFingerprint is of all that an attempt depends on: what is sent, and the CA that the endpoint is checked against.
func (r *CDPCredentialReconciler) attemptFingerprint(v *view, req exchange.Request) string {
	return fingerprint(r.salt[:], []byte(req.Fingerprint(r.salt[:])), v.roots(v.intent.endpoint))
}

func caBundle(obj *v1alpha1.CDPCredential) []byte {
	if obj.Spec.TLS == nil {
		return nil
	}
	return obj.Spec.TLS.CABundle
}

func rejects(err error) bool {
	e, ok := errors.AsType[*exchange.Error](err)
	return ok && (e.Kind == exchange.Rejected || e.Kind == exchange.Malformed)
}

// neverSent reports whether an exchange ended before anything left: with a private key that waits to be opened, say, or that cannot be used.
func neverSent(err error) bool {
	if _, ok := errors.AsType[*exchange.KeyWaitError](err); ok {
		return true
	}
	e, ok := errors.AsType[*exchange.Error](err)
	return ok && (e.Kind == exchange.InvalidKey || e.Kind == exchange.InvalidRequest || e.Kind == exchange.Unsupported)
}

// resultOf is what an exchange says about its endpoint and its client: a refusal, too, shows that the endpoint is alive.
// One that we ourselves did not connect to, or that does not have a certificate of the tenant's own CA, has shown nothing.
func resultOf(err error, ownCA bool) egress.Result {
	if err == nil {
		return egress.Result{Kind: egress.Served}
	}
	if _, ok := errors.AsType[*egress.RefusedError](err); ok {
		return egress.Result{Kind: egress.Cancelled}
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok && ownCA {
		return egress.Result{Kind: egress.Cancelled}
	}
	e, ok := errors.AsType[*exchange.Error](err)
	if !ok || neverSent(err) {
		return egress.Result{Kind: egress.Cancelled}
	}
	result := egress.Result{RetryAfter: e.RetryAfter, HasRetryAfter: e.HasRetryAfter}
	switch {
	case e.Kind == exchange.Throttled:
		result.Kind = egress.Throttled
	case e.Kind == exchange.Unavailable && (e.Status == 0 || e.Status >= 500):
		result.Kind = egress.Unavailable
	case e.Kind == exchange.Rejected:
		result.Kind = egress.Refused
	default:
		result.Kind = egress.Answered
	}
	return result
}

// reserve asks the endpoint's gate for a place. Both nil: nobody is called.
func (r *CDPCredentialReconciler) reserve(v *view, s step) (*egress.Reservation, *egress.Delay) {
	if !v.intent.flow.Exchanges() {
		return nil, nil
	}
	reservation, delay := r.Gate.Reserve(r.Clock.Now(), gateRequest(v, s.cause))
	if delay != nil {
		r.Metrics.Blocked(delay.Reason)
	}
	return reservation, delay
}

// gateRequest is what an object says to the gate. Only a renewal of a token that still lives is planned: what has no token, and what a change or a
// person asks for, may come for all objects at once.
func gateRequest(v *view, why cause) egress.Request {
	request := egress.Request{
		Host: v.intent.endpoint.String(), Namespace: v.obj.Namespace, Client: v.obj.Spec.ClientSecretRef.Name, Object: objectName(v.obj),
		Requested: why == causeRequested || requested(v), Changed: changedSinceThrottled(v),
	}
	request.Proven, request.Failures = standing(v)
	if !v.held.has() || why == causeReplaced {
		return request
	}
	request.Expires = v.held.rec.ExpiresAt
	if why == causeRenewal && (v.held.holds(v.now) || waitsForExpiry(v)) {
		request.Planned, request.Due = true, renewAt(v)
	}
	return request
}

// changedSinceThrottled reports whether the last attempt was throttled and its time has not come: that it is made again nevertheless is, unless it was
// requested, because something else would be sent.
func changedSinceThrottled(v *view) bool {
	status := &v.obj.Status
	waits := status.NextRefreshTime != nil && v.now.Before(status.NextRefreshTime.Time)
	return waits && status.Failures > 0 && refreshedReason(status) == v1alpha1.ReasonThrottled && !requested(v)
}

// standing is what status knows of the client at its endpoint: whether it was served, and not refused since, and how often in a row it was throttled
// or had no answer.
func standing(v *view) (served bool, failures int) {
	status := &v.obj.Status
	switch refreshedReason(status) {
	case v1alpha1.ReasonThrottled, v1alpha1.ReasonEndpointUnavailable:
		failures = int(status.Failures)
	case v1alpha1.ReasonCredentialsRejected, v1alpha1.ReasonMalformedResponse, v1alpha1.ReasonEndpointRefused:
		return false, 0
	}
	return status.LastRefreshTime != nil && v.difference == same, failures
}

func objectName(obj *v1alpha1.CDPCredential) string { return obj.Namespace + "/" + obj.Name }
