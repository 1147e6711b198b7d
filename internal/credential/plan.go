// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// Action is what a pass does to the target.
type Action int

const (
	// ActionNone leaves the target alone: it is as it should be, or nothing can be done about it now.
	ActionNone Action = iota
	// ActionRewrite the target from the held token.
	ActionRewrite
	// ActionIssue a new token.
	ActionIssue
	// ActionUpdate the resources of the held Algonomy token.
	ActionUpdate
)

// A Plan is what a reconcile is to do, decided from the State and nothing else.
type Plan struct {
	Action Action
	Cause  cause
	// Failure is why nothing can be done until somebody changes something.
	Failure *Failure
	// Keep says that an earlier failure is still being waited out: what is reported of it stays.
	Keep bool
	// Contest is the quarrel over the target that goes on, and repair is above zero if the action undoes what the other side has done.
	Contest *v1alpha1.Contest
	Repair  int
	// Early says that a change has the attempt made sooner after a failed one than it would be.
	Early bool
	// At is when the action is to be tried again. Zero: now, or not before a change.
	At time.Time
}

// Exchanges reports whether the plan asks the endpoint for a token.
func (p *Plan) Exchanges(s *State) bool {
	return (p.Action == ActionIssue || p.Action == ActionUpdate) && s.Desired.Flow.Exchanges()
}

// ExchangeIsToCome reports whether an exchange follows at p.At, which the action of this plan does not wait for.
func (p *Plan) ExchangeIsToCome() bool { return p.Failure == nil && !p.Keep && !p.At.IsZero() }
