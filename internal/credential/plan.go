// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// Action is what a reconcile does to the target.
type Action int

const (
	// ActionNone leaves the target alone: it is as it should be, or nothing can be done about it now.
	ActionNone Action = iota
	// ActionRewrite writes the target again with the current token.
	ActionRewrite
	// ActionIssue writes a new token: one that is requested, or one that was issued before and could not be written.
	ActionIssue
	// ActionUpdate changes the resources of the current Algonomy token.
	ActionUpdate
)

// A Need is what has to be observed before a plan can be carried out. Each costs something, so it is observed only for a plan that needs it, which is
// then made again.
type Need int

const (
	// NeedNothing says that the plan is complete.
	NeedNothing Need = iota
	// NeedTurn is whether the gate lets the endpoint be asked now.
	NeedTurn
	// NeedClient is the client Secret with its values.
	NeedClient
	// NeedToken is the Secret that holds the current token, with its value.
	NeedToken
)

// A Plan is what a reconcile does, decided from the State alone.
type Plan struct {
	Action Action
	Cause  Cause
	// Needs is what has to be observed before the action can be carried out.
	Needs Need
	// Request is what will be sent. Publish is what will be written without sending anything; nil: the answer to the request.
	Request exchange.Request
	Publish *Publication
	// Failure is why nothing can be done until somebody changes something.
	Failure *Failure
	// Keep says that an earlier failure is still being waited out, and its report stays.
	Keep bool
	// Contest is the contest over the target that is under way. Repair is the weight of the action in it, zero if it undoes nobody's change.
	Contest *v1alpha1.Contest
	Repair  int
	// Early says that the attempt is made before the least time after a failure is over, because of a change.
	Early bool
	Wait
}

// A Wait is that of an action for its turn.
type Wait struct {
	// Waiting says that the action waits, which is not reported at first. A rewrite does not wait for the exchange that does.
	Waiting bool
	// At is when to try again. Zero: not before a change.
	At time.Time
	// HeldUp is what it waits for at the gate. Nil: it does not wait there.
	HeldUp *HoldUp
}

// Exchanges reports whether the plan asks the endpoint for a token, or publishes one that it gave.
func (p *Plan) Exchanges(s *State) bool {
	return (p.Action == ActionIssue || p.Action == ActionUpdate) && s.Desired.Flow.Exchanges()
}

// Rehearses reports whether the write is tried first, as a dry run: after a refusal, no token is issued that could not be written either.
func (p *Plan) Rehearses(s *State) bool {
	return p.Exchanges(s) && p.Publish == nil && s.Object.Status.WriteRefusals > 0
}

// instead returns the plan with a failure in place of its action.
func (p Plan) instead(f *Failure) Plan {
	p.Action, p.Failure = ActionNone, f
	return p
}

// waits returns the plan with an action that waits.
func (p Plan) waits(w Wait) Plan {
	p.Action, p.Wait = ActionNone, w
	p.Waiting = true
	return p
}

// needs returns the plan with what it needs.
func (p Plan) needs(need Need) Plan {
	p.Needs = need
	return p
}
