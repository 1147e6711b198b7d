// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"errors"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// An Attempt judges the endpoint's answer. It updates the state at the end of the attempt, and what this process remembers.
type Attempt struct {
	Cache  *ObjectCache
	Jitter func() float64
}

// Received returns what to publish of a token, or what comes of it instead. A new token gets the salt.
func (a *Attempt) Received(s *State, plan Plan, got exchange.Token, salt []byte) (*Publication, Result) {
	m := &a.Cache.Token
	m.Assertions.Accepted(got.Life.Skew, got.Life.SkewKnown)
	if plan.Early {
		m.EarlyAt = s.Now
	}
	if again := isCurrentToken(s, got) && !endsLater(s, got); again && plan.Action == ActionIssue {
		p, result := a.SameToken(s, plan, got)
		if p != nil {
			m.Pending = p
		}
		return p, result
	}
	m.Repeats = 0
	m.Pending = newPublication(s, plan, got, salt)
	if s.Desired.Flow.Exchanges() { // otherwise no endpoint was asked, and a 429 still counts
		m.Throttled = nil
	}
	if issued := &m.Pending.Persisted; plan.Action == ActionIssue && issued.Issuance != nil {
		m.IssuedAt, m.Issuance = issued.IssuedAt, issued.Issuance
		s.Issuance = m.Issuance
	}
	return m.Pending, Result{}
}

// SameToken returns what comes of the current token given again. It is written again only if the target has to say that the token also answers another
// request, or that the API refused it.
func (a *Attempt) SameToken(s *State, plan Plan, got exchange.Token) (*Publication, Result) {
	a.Cache.Token.CountUnpublished(s)
	a.Cache.Token.RepeatedAt, a.Cache.Token.Throttled = s.Now, nil
	if plan.Cause == CauseRenewal {
		if !s.Current.HoldsToken(s.Now) {
			return nil, a.repeatedExpired(s)
		}
		s.Repeated = true
	}
	current := *s.Current.Persisted
	// Otherwise a change to another Secret of the same client would call for an exchange again and again.
	recorded := cameFrom(s, &current, plan.Request)
	if recorded && plan.Cause != CauseRejected && drift(s) == NoDrift {
		return nil, Result{Repeated: true}
	}
	if plan.Cause == CauseRejected {
		current.Cause = CauseRejected
	}
	describeRequest(&current, s, plan.Request)
	current.HandledRequest, current.Issuance = refreshRequest(s.Object), s.Issuance
	return Republication(plan.Request, current, got.Value), Result{}
}

// DeadOnArrival returns the error for a token that had expired when the answer was complete. Nil: it had not.
func DeadOnArrival(got exchange.Token, now time.Time) error {
	if got.Life.ExpiresAt.IsZero() || now.Before(got.Life.ExpiresAt) {
		return nil
	}
	return &exchange.Error{Kind: exchange.Malformed, Issued: true, Detail: "the token had expired before the answer was complete", Cause: token.ErrExpired}
}

// repeatedExpired returns what comes of an expired token given again: a short wait, as the endpoint's clock may be late, and a failure after some of them.
func (a *Attempt) repeatedExpired(s *State) Result {
	if a.Cache.Token.Repeats++; a.Cache.Token.Repeats <= MaxRepeats {
		return Result{Waiting: true, At: s.Now.Add(AfterExpiry)}
	}
	a.Cache.Token.Repeats = 0
	err := &exchange.Error{Kind: exchange.Malformed, Detail: "the endpoint returned an expired token", Cause: token.ErrExpired}
	return a.Failed(s, failureOf(s, err, a.Jitter()))
}

// Failed remembers what a failed attempt was made with, so that a mere change of the Secret's metadata is no reason to try again.
func (a *Attempt) Failed(s *State, f *Failure) Result {
	if f != nil && f.Attempted {
		a.Cache.Client.Attempted(s)
	}
	return Result{Failure: f}
}

// Refused returns what comes of an attempt that brought no token. An error is not the endpoint's.
func (a *Attempt) Refused(s *State, plan Plan, err error) (Result, error) {
	if retryAt := a.anotherWay(s, plan, err); !retryAt.IsZero() {
		return Result{Waiting: true, At: retryAt}, nil
	}
	if e, ok := errors.AsType[*exchange.Error](err); ok && e.Issued && plan.Action == ActionIssue {
		a.Cache.Token.CountUnpublished(s)
	}
	if endedToken(s, plan.Cause, err) {
		return a.repeatedExpired(s), nil
	}
	f := failureOf(s, err, a.Jitter())
	if f == nil {
		return Result{}, err
	}
	if f.Reason == v1alpha1.ReasonThrottled {
		a.Cache.Token.Throttled = &ThrottledAttempt{SpecHash: s.Desired.SpecHash, Request: plan.Request.Fingerprint(s.Salt), Failure: *f}
	}
	return a.Failed(s, f), nil
}

// anotherWay returns when to try again in another way, which is no failure yet. Zero: there is none.
func (a *Attempt) anotherWay(s *State, plan Plan, err error) time.Time {
	if wait, ok := errors.AsType[*exchange.KeyWaitError](err); ok { // once the private key is open
		return s.Now.Add(wait.For)
	}
	if plan.Action == ActionUpdate && isRefusal(err) { // with a new token
		a.Cache.Token.UpdateRefused = s.Current.Persisted.TokenMAC
		return s.Now
	}
	if skew, ok := refusedAssertion(plan.Request, err); ok && a.Cache.Token.Assertions.Refused(plan.Request.ClockOffset, skew) { // by the endpoint's clock
		return s.Now.Add(MinIssueInterval)
	}
	return time.Time{}
}
