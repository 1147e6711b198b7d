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
	// ActionIssue writes a new token: one that is asked for, or one that was issued and could not yet be written.
	ActionIssue
	// ActionUpdate changes the resources of the current Algonomy token.
	ActionUpdate
)

// A Plan is what a reconcile is to do, decided from the State and nothing else.
type Plan struct {
	Action Action
	Cause  cause
	// Needs is what has to be observed before the action can be carried out.
	Needs Need
	// Request is what is to be sent, and Publish what is to be written without asking anybody. Nil: the answer to the request.
	Request exchange.Request
	Publish *Publication
	// Failure is why nothing can be done until somebody changes something.
	Failure *Failure
	// Keep says that an earlier failure is still being waited out: what is reported of it stays.
	Keep bool
	// Contest is the quarrel over the target that goes on, and Repair is above zero if the action undoes what the other side has done.
	Contest *v1alpha1.Contest
	Repair  int
	// Early says that a change has the attempt made sooner after a failed one than it would be.
	Early bool
	Wait
}

// A Wait is that of an action for its turn.
type Wait struct {
	// Waiting says that it does, and nothing of it is reported. A rewrite does not wait for the exchange that does.
	Waiting bool
	// At is when the action is to be tried again. Zero: not before a change.
	At time.Time
	// HeldUp is what it waits for at the gate. Nil: it does not wait there.
	HeldUp *HoldUp
}

// Exchanges reports whether the plan asks the endpoint for a token, or publishes one that it gave.
func (p *Plan) Exchanges(s *State) bool {
	return (p.Action == ActionIssue || p.Action == ActionUpdate) && s.Desired.Flow.Exchanges()
}

// Rehearses reports whether the API server is to try the write before the endpoint is asked: after a refusal no token is asked for that could not be
// written either.
func (p *Plan) Rehearses(s *State) bool {
	return p.Exchanges(s) && p.Publish == nil && s.Object.Status.WriteRefusals > 0
}

// instead returns the plan with no action and what there is to report in its place.
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
