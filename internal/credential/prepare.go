// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// prepared completes a plan with what it sends or writes, or says what it needs for that.
func prepared(s *State, plan Plan) Plan {
	switch plan.Action {
	case ActionRewrite:
		return preparedRewrite(s, plan)
	case ActionIssue, ActionUpdate:
		return preparedIssue(s, plan)
	}
	return plan
}

// preparedRewrite publishes the current token again: as spec.target now wants it, or under the target's new name.
func preparedRewrite(s *State, plan Plan) Plan {
	if !s.RewriteAt.IsZero() {
		return plan.waits(Wait{At: Earliest(s.RewriteAt, plan.At)})
	}
	req, plan := withRequest(s, plan)
	switch {
	case plan.Action == ActionNone || plan.Needs != NeedNothing:
		return plan
	case s.Current.Secret == nil:
		return plan.needs(NeedToken)
	}
	plan.Publish = currentToken(s, req, currentValue(s))
	return plan
}

// preparedIssue publishes a token that was issued before, or asks the endpoint for one if it is time to.
func preparedIssue(s *State, plan Plan) Plan {
	if s.Terminating {
		return plan.waits(Wait{})
	}
	if s.Pending != nil {
		if _, plan = withRequest(s, plan); plan.Action != ActionNone && plan.Needs == NeedNothing {
			plan.Publish = s.Pending
		}
		return plan
	}
	f, need := stillThrottled(s)
	switch {
	case need != NeedNothing:
		return plan.needs(need)
	case f != nil:
		return plan.instead(f)
	}
	if earliest, early := earliestAttempt(s); !earliest.IsZero() && !early {
		return plan.waits(Wait{At: earliest}) // not before, as a 429 is more important to report
	}
	return preparedExchange(s, plan)
}

// stillThrottled returns the report of the last attempt that was answered with 429, if its Retry-After is not over and the same would be sent. In
// status, something else may have been reported since. Nil: there is no such attempt.
func stillThrottled(s *State) (*Failure, Need) {
	last := s.Throttled
	if last == nil || last.SpecHash != s.Desired.SpecHash || insists(s) || !s.Now.Before(last.Failure.RetryAt) {
		return nil, NeedNothing
	}
	if s.Client.Content == nil {
		return nil, NeedClient
	}
	req, f := liveRequest(s)
	if f != nil {
		return f, NeedNothing
	}
	if req.Fingerprint(s.Salt) != last.Request {
		return nil, NeedNothing
	}
	again := last.Failure
	return &again, NeedNothing
}

// preparedExchange asks the endpoint once the gate allows it.
func preparedExchange(s *State, plan Plan) Plan {
	if s.Desired.Flow.Exchanges() && !s.Turn.Granted {
		if d := s.Turn.Delay; d != nil {
			return plan.waits(Wait{At: s.Now.Add(d.For), HeldUp: &HoldUp{By: HoldUpCauseOf(d.Reason), Since: s.Turn.Since}})
		}
		return plan.needs(NeedTurn)
	}
	req, plan := withRequest(s, plan)
	req.ClockOffset = s.ClockOffset
	if plan.Action == ActionUpdate && plan.Needs == NeedNothing {
		if s.Current.Secret == nil {
			return plan.needs(NeedToken)
		}
		req.CurrentToken = currentValue(s)
	}
	plan.Request = req
	return plan
}

// withRequest returns the request with the client Secret's values. Otherwise the plan needs those, or reports what is wrong with them.
func withRequest(s *State, plan Plan) (exchange.Request, Plan) {
	if s.Client.Content == nil {
		return exchange.Request{}, plan.needs(NeedClient)
	}
	req, f := liveRequest(s)
	if f != nil {
		plan = plan.instead(f)
	}
	return req, plan
}

// liveRequest returns the request with the values of the client Secret that was read, or says why it cannot be sent.
func liveRequest(s *State) (exchange.Request, *Failure) {
	if f := liveConsent(s); f != nil {
		return exchange.Request{}, f
	}
	req, err := s.Desired.Request(s.Client.Content)
	if err == nil {
		err = req.Check()
	}
	if err != nil {
		return exchange.Request{}, failureOf(s, err, 0)
	}
	return req, nil
}

// currentValue returns the current token. Its Secret must have been read.
func currentValue(s *State) exchange.Secret {
	return exchange.Secret(s.Current.Persisted.TokenIn(s.Current.Secret.Data))
}
