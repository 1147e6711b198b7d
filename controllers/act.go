package controllers

import (
	"context"
	"time"
)

// An outcome is what became of a step.
type outcome struct {
	failure *failure
	// waiting says that the action has to wait for its turn: nothing is reported of that.
	waiting bool
	// heldUp is what it waits for at the gate. Nil: it does not wait there.
	heldUp *holdUp
	// at is when to come back for it.
	at time.Time
	// wrote says that the target was written: the view has it as it is now.
	wrote bool
	// repeated says that the endpoint has given the held token again: there is nothing to write.
	repeated bool
	// unwritable says that the API server refused the write, and that a failure that is still waited out is told instead.
	unwritable bool
	// issued says that a token was issued and published.
	issued bool
	// routine says that it was issued because its time had come, and nothing was wrong before: metrics and status tell of it, and no event.
	routine bool
	// skew is the endpoint's, known if issued.
	skew time.Duration
	// warnings are to be given with it.
	warnings []warning
	// margin is what the token before had left, and lateness how long after its time it was renewed. Negative: not known.
	margin, lateness time.Duration
}

// act does what was planned. An error is the API server's and makes the pass be tried again.
func (r *CDPCredentialReconciler) act(ctx context.Context, v *view, mem *remembered, s step) (outcome, error) {
	switch s.action {
	case issue, update:
		return r.issue(ctx, v, mem, s)
	}
	mem.heldUpSince = time.Time{}
	if s.action == rewrite {
		out, err := r.rewrite(ctx, v, mem)
		if f := out.failure; f != nil && f.writeRefused && s.keep {
			out.failure, out.unwritable = nil, true
		}
		// The exchange that it did not wait for is still to come.
		out.waiting = out.waiting || out.failure == nil && s.failure == nil && !s.keep && !s.at.IsZero()
		if out.failure == nil {
			out.failure = s.failure
		}
		out.at = sooner(out.at, s.at)
		return out, err
	}
	r.Gate.Withdraw(r.Clock.Now(), objectName(v.obj))
	return outcome{failure: s.failure, at: s.at, waiting: s.failure == nil && !s.keep && !s.at.IsZero()}, nil
}

// issue gets a token and publishes it.
func (r *CDPCredentialReconciler) issue(ctx context.Context, v *view, mem *remembered, s step) (outcome, error) {
	if mem.terminating {
		return outcome{waiting: true}, nil
	}
	p, out, err := r.obtain(ctx, v, mem, s)
	if p == nil || err != nil {
		return out, err
	}
	old := v.held.rec
	due := time.Time{}
	if old != nil && s.cause == causeRenewal {
		due = renewAt(v)
	}
	out, err = r.publish(ctx, v, mem, p)
	if out.wrote && v.intent.flow.Exchanges() && s.action == issue && !p.repeated {
		out.issued, out.margin, out.lateness = true, -1, -1
		out.routine = s.cause == causeRenewal && refreshedReason(&v.obj.Status) == ""
		if old != nil && !old.ExpiresAt.IsZero() {
			out.margin = max(old.ExpiresAt.Sub(r.Clock.Now()), 0)
		}
		if !due.IsZero() {
			out.lateness = max(p.rec.IssuedAt.Sub(due), 0)
		}
		out.skew = p.token.Life.Skew
		out.warnings = freshWarnings(v, old, p)
	}
	return out, err
}
