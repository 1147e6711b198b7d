// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// A Need is what has to be observed before a plan can be carried out. Each costs something, so it is observed only for a plan that needs it; then it is
// planned again.
type Need int

const (
	// NeedNothing says that the plan is complete.
	NeedNothing Need = iota
	// NeedTurn is the gate's word on whether the endpoint may be asked now.
	NeedTurn
	// NeedClient is the client Secret itself, with its values.
	NeedClient
	// NeedToken is the Secret that has the current token, with its value.
	NeedToken
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

// preparedRewrite publishes the current token again: as spec.target wants it now, or under the target's new name.
func preparedRewrite(s *State, plan Plan) Plan {
	if !s.RewriteAt.IsZero() {
		return plan.waits(Wait{At: Sooner(s.RewriteAt, plan.At)})
	}
	req, plan := withRequest(s, plan)
	switch {
	case plan.Action == ActionNone || plan.Needs != NeedNothing:
		return plan
	case s.Current.Secret == nil:
		plan.Needs = NeedToken
		return plan
	}
	plan.Publish = CurrentToken(s, req, currentValue(s))
	return plan
}

// preparedIssue publishes the token that was issued already, or asks the endpoint for one if it is time to.
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
	if f, needs := stillThrottled(s); needs != NeedNothing {
		plan.Needs = needs
		return plan
	} else if f != nil {
		return plan.instead(f)
	}
	if earliest, early := EarliestAttempt(s); !earliest.IsZero() && !early {
		return plan.waits(Wait{At: earliest}) // here, and not before, as there may have been a 429 to tell of
	}
	return preparedExchange(s, plan)
}

// preparedExchange asks the endpoint, once the gate lets it.
func preparedExchange(s *State, plan Plan) Plan {
	if s.Desired.Flow.Exchanges() && !s.Turn.Granted {
		if d := s.Turn.Delay; d != nil {
			return plan.waits(Wait{At: s.Now.Add(d.For), HeldUp: &HoldUp{By: HoldUpCauseOf(d.Reason), Since: s.Turn.Since}})
		}
		plan.Needs = NeedTurn
		return plan
	}
	req, plan := withRequest(s, plan)
	req.ClockOffset = s.ClockOffset
	needsValue := plan.Action == ActionUpdate && plan.Needs == NeedNothing
	if needsValue && s.Current.Secret == nil {
		plan.Needs = NeedToken
		return plan
	}
	if needsValue {
		req.CurrentToken = currentValue(s)
	}
	plan.Request = req
	return plan
}

// withRequest returns the request that the client Secret makes, or a plan that needs it or reports what is wrong with it.
func withRequest(s *State, plan Plan) (exchange.Request, Plan) {
	if s.Client.Content == nil {
		plan.Needs = NeedClient
		return exchange.Request{}, plan
	}
	req, f := liveRequest(s)
	if f != nil {
		plan = plan.instead(f)
	}
	return req, plan
}

// liveRequest makes the request of the client Secret that was read, or says why it cannot be sent.
func liveRequest(s *State) (exchange.Request, *Failure) {
	if f := LiveConsent(s); f != nil {
		return exchange.Request{}, f
	}
	req, err := s.Desired.Request(s.Client.Content)
	if err == nil {
		err = req.Check()
	}
	if err != nil {
		return exchange.Request{}, FailureOf(s, err, 0)
	}
	return req, nil
}

// currentValue is the value of the current token, whose Secret was read.
func currentValue(s *State) exchange.Secret {
	return exchange.Secret(s.Current.Persisted.TokenIn(s.Current.Secret.Data))
}

// stillThrottled returns what was reported of the last attempt that was answered with 429, while its time has not come and the same would be sent: in
// status something that was in the way meanwhile may have taken its place. Nil: there is no such attempt.
func stillThrottled(s *State) (*Failure, Need) {
	last := s.Throttled
	if last == nil || last.Asked != s.Desired.SpecHash || Insists(s) || !s.Now.Before(last.Failure.RetryAt) {
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
