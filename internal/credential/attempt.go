// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"errors"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// An Attempt judges what has come of an attempt by the state at its end, which it brings up to date with the answer, and by what this process remembers.
type Attempt struct {
	Cache  *ObjectCache
	Jitter func() float64
}

// Received makes of a token what is to be published, or says what comes of it instead. A new token gets a salt.
func (a *Attempt) Received(s *State, plan Plan, got exchange.Token, salt []byte) (*Publication, Result) {
	m := &a.Cache.Token
	m.Assertions.Accepted(got.Life.Skew, got.Life.SkewKnown)
	if sameAgain := IsCurrentToken(s, got) && !EndsLater(s, got); sameAgain && plan.Action == ActionIssue {
		p, result := a.SameToken(s, plan, got)
		if p != nil {
			m.Pending = p
		}
		return p, result
	}
	m.Repeats = 0
	m.Pending = NewPublication(s, plan, got, salt)
	if s.Desired.Flow.Exchanges() { // which has asked nobody
		m.Throttled = nil
	}
	if issued := &m.Pending.Persisted; plan.Action == ActionIssue && issued.Issuance != nil {
		m.IssuedAt, m.Issuance = issued.IssuedAt, issued.Issuance
		s.Issuance = m.Issuance
	}
	return m.Pending, Result{}
}

// SameToken is what comes of an answer with the held token. It is not written again, unless the record is to say that it is also what another request
// has given, or what has come of a refusal by the API.
func (a *Attempt) SameToken(s *State, plan Plan, got exchange.Token) (*Publication, Result) {
	req := plan.Request
	a.Cache.Token.CountUnpublished(s)
	a.Cache.Token.RepeatedAt, a.Cache.Token.Throttled = s.Now, nil
	if plan.Cause == CauseRenewal {
		if !s.Current.HoldsToken(s.Now) { // it was a little early
			return nil, a.endless(s)
		}
		s.Repeated = true
	}
	rec := *s.Current.Persisted
	// The record says for what was asked last, else a change to another Secret of the same client would call for an exchange again and again.
	recorded := rec.SpecHash == s.Desired.SpecHash && CompareRequests(&rec, req) == Same
	if recorded && plan.Cause != CauseRejected && Drift(s) == NoDrift {
		return nil, Result{Repeated: true}
	}
	if plan.Cause == CauseRejected {
		rec.Cause = CauseRejected
	}
	DescribeRequest(&rec, s, req)
	rec.HandledRequest, rec.Issuance = RefreshRequest(s.Object), s.Issuance
	return Republication(req, rec, got.Value), Result{}
}

// DeadOnArrival is the failure of a token that had expired when its answer was complete. Nil: it lives.
func DeadOnArrival(got exchange.Token, now time.Time) error {
	if got.Life.ExpiresAt.IsZero() || now.Before(got.Life.ExpiresAt) {
		return nil
	}
	return &exchange.Error{Kind: exchange.Malformed, Issued: true, Detail: "the token had expired before the answer was complete", Cause: token.ErrExpired}
}

// endless is what comes of the held token when it should have ended: a little patience, and then a failure.
func (a *Attempt) endless(s *State) Result {
	if a.Cache.Token.Repeats++; a.Cache.Token.Repeats <= MaxRepeats {
		return Result{Waiting: true, At: s.Now.Add(AfterExpiry)}
	}
	a.Cache.Token.Repeats = 0
	err := &exchange.Error{Kind: exchange.Malformed, Detail: "the endpoint returned an expired token", Cause: token.ErrExpired}
	return a.Failed(s, FailureOf(s, err, a.Jitter()))
}

// Failed remembers what a failed attempt was made with, so that a change of mere metadata is not taken for a reason to try again.
func (a *Attempt) Failed(s *State, f *Failure) Result {
	if f != nil && f.Attempted {
		a.Cache.Client.Attempted(s)
	}
	return Result{Failure: f}
}

// Refused says what comes of an attempt that gave no token.
func (a *Attempt) Refused(s *State, plan Plan, err error) (Result, error) {
	req := plan.Request
	if wait, ok := errors.AsType[*exchange.KeyWaitError](err); ok {
		return Result{Waiting: true, At: s.Now.Add(wait.For)}, nil
	}
	if plan.Action == ActionUpdate && IsRefusal(err) {
		// The vendor does not change this token any more: a new one will do, if the budget has one.
		a.Cache.Token.UpdateRefused = s.Current.Persisted.TokenMAC
		return Result{Waiting: true, At: s.Now}, nil
	}
	if skew, ok := RefusedAssertion(req, err); ok && a.Cache.Token.Assertions.Refused(req.ClockOffset, skew) {
		// With the endpoint's time it may be as good as any.
		return Result{Waiting: true, At: s.Now.Add(MinIssueInterval)}, nil
	}
	if e, ok := errors.AsType[*exchange.Error](err); ok && e.Issued && plan.Action == ActionIssue {
		a.Cache.Token.CountUnpublished(s)
	}
	if endedToken(s, plan.Cause, err) {
		return a.endless(s), nil
	}
	f := FailureOf(s, err, a.Jitter())
	if f == nil {
		return Result{}, err
	}
	if f.Reason == v1alpha1.ReasonThrottled {
		a.Cache.Token.Throttled = &ThrottledAttempt{Asked: s.Desired.SpecHash, Request: req.Fingerprint(s.Salt), Failure: *f}
	}
	return a.Failed(s, f), nil
}
