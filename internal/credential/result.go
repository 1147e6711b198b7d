// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"
)

// A Result is what came of a Plan.
type Result struct {
	Failure *Failure
	// Waiting says that the action waits for its turn, which is not reported at first.
	Waiting bool
	// HeldUp is what it waits for at the gate. Nil: it does not wait there.
	HeldUp *HoldUp
	// At is when to try again.
	At time.Time
	// Wrote says that the target was written. The state has it as it is now.
	Wrote bool
	// Repeated says that the endpoint gave the current token again, so that there was nothing to write.
	Repeated bool
	// Unwritable says that the API server refused the write, while the failure that is still waited out is reported.
	Unwritable bool
	// Issued is the token that was issued and published. Nil: none.
	Issued *IssuedToken
}

// An IssuedToken says how a token that was issued and published compares to the one before.
type IssuedToken struct {
	// Routine says that it was a renewal, and nothing was wrong before: metrics and status report it, but no event does.
	Routine bool
	// Skew is the endpoint's clock minus the local one.
	Skew time.Duration
	// Warnings are the events to send with it.
	Warnings []Warning
	// Margin is how long the token before would have lived, Lateness how late it was renewed. Negative: unknown.
	Margin, Lateness time.Duration
}

// WhileWaiting returns the result of a rewrite together with that of the exchange which waits meanwhile.
func (r Result) WhileWaiting(plan Plan) Result {
	if f := r.Failure; f != nil && f.WriteRefused && plan.Keep {
		r.Failure, r.Unwritable = nil, true
	}
	if r.Failure == nil {
		r.Waiting = r.Waiting || plan.Waiting
		r.Failure = plan.Failure
	}
	r.At = Earliest(r.At, plan.At)
	return r
}

// NoAction is the result of a plan without an action.
func NoAction(plan Plan) Result {
	return Result{Failure: plan.Failure, Waiting: plan.Waiting, At: plan.At, HeldUp: plan.HeldUp}
}

// Written is the result of a write of the target, which now has this version. If the version has not changed, a webhook has removed all that was new.
// There will be no event, so the object is reconciled again at once.
func Written(s *State, version string) Result {
	if version == s.Target.Version {
		return Result{Wrote: true, At: s.Now}
	}
	return Result{Wrote: true}
}
