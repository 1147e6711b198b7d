package controllers

import (
	"errors"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

const (
	// oneActiveLead is the most that a token is renewed early where a new one ends it: pods hold a dead token from then on.
	oneActiveLead = 90 * time.Second
	// afterExpiry is how long after its end a token that cannot be renewed early is replaced. An endpoint that says what is left in whole seconds
	// means up to one more.
	afterExpiry = time.Second
	// earlyTry is which of the tokens of an endpoint that gives the same one until it ends is tried early all the same: habits change.
	earlyTry = 10
	// maxRepeats is how often an endpoint may give a token that should have ended before that is a failure.
	maxRepeats = 3
	// settlingTokens is how long an API may refuse a token that has just ended the one before: not all of its nodes know of it yet.
	settlingTokens = 2 * time.Minute
)

// issuanceMode is what the endpoint means by a new token: section 4 of the contract. Empty: there is none.
func issuanceMode(v *view) v1alpha1.IssuanceMode {
	rec := v.held.rec
	switch {
	case !v.intent.flow.Exchanges() || rec == nil || rec.ExpiresAt.IsZero():
		return ""
	case oneActive(&v.obj.Spec):
		return v1alpha1.IssuanceModeOneActive
	case v.repeated || rec.Same > 0:
		return v1alpha1.IssuanceModeSameUntilExpiry
	}
	return v1alpha1.IssuanceModeFresh
}

func oneActive(spec *v1alpha1.CDPCredentialSpec) bool {
	return spec.Refresh != nil && spec.Refresh.Issuance == v1alpha1.IssuanceOneActive
}

// waitsForExpiry reports whether the endpoint gives no other token than the held one before that has ended. Of every tenth token this is tried.
func waitsForExpiry(v *view) bool {
	rec := v.held.rec
	return v.repeated || rec.Same > 0 && rec.Same%earlyTry != 0 && !oneActive(&v.obj.Spec)
}

// renewAt is when the held token is to be replaced. Zero for one that never is.
func renewAt(v *view) time.Time {
	life, before := v.held.rec.life(), before(&v.obj.Spec)
	switch {
	case life.ExpiresAt.IsZero():
		return time.Time{}
	case waitsForExpiry(v):
		return life.ExpiresAt.Add(afterExpiry)
	case oneActive(&v.obj.Spec):
		return life.RenewLate(before, oneActiveLead)
	}
	return life.RenewAt(before, string(v.obj.UID))
}

// repeatedBefore reports whether status has it that the endpoint gave the held token again when it was to be renewed.
func repeatedBefore(v *view) bool {
	until, rec := v.obj.Status.RepeatedUntil, v.held.rec
	return until != nil && rec != nil && until.Sub(rec.ExpiresAt).Abs() < clockNoise
}

// isHeld reports whether an answer has the held token.
func isHeld(v *view, got exchange.Token) bool {
	rec := v.held.rec
	return v.held.has() && v.held.owner() == v.obj.Name && !rec.ExpiresAt.IsZero() && rec.seal([]byte(got.Value)) == rec.Token
}

// endsLater reports whether the held token was given more time: it is then published like a new one.
func endsLater(v *view, got exchange.Token) bool {
	return got.Life.ExpiresAt.After(v.held.rec.ExpiresAt.Add(clockNoise))
}

// sameOf counts the tokens in a row of an endpoint that gives the same one until it ends. Zero: it does not, or nobody knows.
func sameOf(v *view, s step, got exchange.Token) int {
	rec := v.held.rec
	switch {
	case rec == nil || rec.Asked != v.intent.asked || issuanceMode(v) != v1alpha1.IssuanceModeSameUntilExpiry:
		return 0
	case isHeld(v, got):
		return max(rec.Same, 1)
	case s.cause == causeRenewal && got.Life.IssuedAt.Before(rec.ExpiresAt):
		return 0 // it was to be had early
	}
	return rec.Same + 1
}

// sameToken is what comes of an answer with the held token. It is not written again, unless the record is to say that it is also what another request
// has given, or what has come of a refusal by the API.
func (r *CDPCredentialReconciler) sameToken(v *view, mem *remembered, s step, req exchange.Request, got exchange.Token) (*publication, outcome) {
	r.count(v, mem)
	mem.repeatedAt, mem.throttled = v.now, nil
	if s.cause == causeRenewal {
		if !v.held.holds(v.now) { // it was a little early
			return nil, r.endless(v, mem)
		}
		v.repeated = true
	}
	rec := *v.held.rec
	// The record says for what was asked last, else a change to another Secret of the same client would call for an exchange again and again.
	recorded := rec.Asked == v.intent.asked && compareRequests(&rec, req) == same
	if recorded && s.cause != causeRejected && !shapeChanged(v) {
		return nil, outcome{repeated: true}
	}
	if s.cause == causeRejected {
		rec.Cause = causeRejected
	}
	describeRequest(&rec, v, req)
	rec.Handled, rec.Issuance = refreshRequest(v.obj), v.issuance
	return publicationOfHeld(req, rec, got.Value), outcome{}
}

// endless is what comes of the held token when it should have ended: a little patience, and then a failure.
func (r *CDPCredentialReconciler) endless(v *view, mem *remembered) outcome {
	if mem.repeats++; mem.repeats <= maxRepeats {
		return outcome{waiting: true, at: v.now.Add(afterExpiry)}
	}
	mem.repeats = 0
	err := &exchange.Error{Kind: exchange.Malformed, Detail: "the endpoint hands out a token that has ended", Cause: token.ErrExpired}
	return r.attempted(v, mem, failureOf(v, err, r.Chance()))
}

// endedToken reports whether the endpoint has handed out a token that has ended, when it was asked for one right after the end of the held one.
func endedToken(v *view, s step, err error) bool {
	return s.cause == causeRenewal && v.held.has() && waitsForExpiry(v) && errors.Is(err, token.ErrExpired) && v.now.Sub(v.held.rec.ExpiresAt) < 2*minInterval
}

// notSettled reports whether the held token has just ended the one before, so that not every node of the API may know it.
func notSettled(v *view) bool {
	return oneActive(&v.obj.Spec) && v.now.Before(v.target.rec.IssuedAt.Add(settlingTokens))
}
