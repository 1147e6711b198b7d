// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"
)

// A Result is what became of a Plan.
type Result struct {
	Failure *Failure
	// Waiting says that the action has to wait for its turn: nothing is reported of that.
	Waiting bool
	// HeldUp is what it waits for at the gate. Nil: it does not wait there.
	HeldUp *HoldUp
	// At is when to come back for it.
	At time.Time
	// Wrote says that the target was written: the view has it as it is now.
	Wrote bool
	// Repeated says that the endpoint has given the held token again: there is nothing to write.
	Repeated bool
	// Unwritable says that the API server refused the write, and that a failure that is still waited out is told instead.
	Unwritable bool
	// Issued says that a token was issued and published.
	Issued bool
	// Routine says that it was issued because its time had come, and nothing was wrong before: metrics and status tell of it, and no event.
	Routine bool
	// Skew is the endpoint's, known if issued.
	Skew time.Duration
	// Warnings are to be given with it.
	Warnings []Warning
	// Margin is what the token before had left, and lateness how long after its time it was renewed. Negative: not known.
	Margin, Lateness time.Duration
}

// WhileWaiting returns what has come of a rewrite, and of the exchange that it does not wait for.
func (r Result) WhileWaiting(plan Plan) Result {
	if f := r.Failure; f != nil && f.WriteRefused && plan.Keep {
		r.Failure, r.Unwritable = nil, true
	}
	if r.Failure == nil {
		r.Waiting = r.Waiting || plan.Waiting
		r.Failure = plan.Failure
	}
	r.At = Sooner(r.At, plan.At)
	return r
}

// NoAction is what becomes of a Plan with no action.
func NoAction(plan Plan) Result {
	return Result{Failure: plan.Failure, Waiting: plan.Waiting, At: plan.At, HeldUp: plan.HeldUp}
}

// Written is the outcome of a write of the target, which has this version then. Where that is the version of before, a webhook has taken off all that was
// new, and no event will tell of it: the object is looked at again.
func Written(s *State, version string) Result {
	if version == s.Target.Version {
		return Result{Wrote: true, At: s.Now}
	}
	return Result{Wrote: true}
}
