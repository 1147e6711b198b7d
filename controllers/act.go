package controllers

import (
	"context"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
)

// act does what was planned. An error is the API server's and makes the pass be tried again.
func (r *CDPCredentialReconciler) act(ctx context.Context, s *credential.State, mem *remembered, plan credential.Plan) (credential.Result, error) {
	switch plan.Action {
	case credential.ActionIssue, credential.ActionUpdate:
		return r.issue(ctx, s, mem, plan)
	}
	mem.heldUpSince = time.Time{}
	if plan.Action == credential.ActionRewrite {
		result, err := r.rewrite(ctx, s, mem)
		if f := result.Failure; f != nil && f.WriteRefused && plan.Keep {
			result.Failure, result.Unwritable = nil, true
		}
		// The exchange that it did not wait for is still to come.
		result.Waiting = result.Waiting || result.Failure == nil && plan.Failure == nil && !plan.Keep && !plan.At.IsZero()
		if result.Failure == nil {
			result.Failure = plan.Failure
		}
		result.At = credential.Sooner(result.At, plan.At)
		return result, err
	}
	r.Gate.Withdraw(r.Clock.Now(), credential.ObjectName(s.Object))
	return credential.NoAction(plan), nil
}

// issue gets a token and publishes it.
func (r *CDPCredentialReconciler) issue(ctx context.Context, s *credential.State, mem *remembered, plan credential.Plan) (credential.Result, error) {
	if mem.terminating {
		return credential.Result{Waiting: true}, nil
	}
	p, result, err := r.obtain(ctx, s, mem, plan)
	if p == nil || err != nil {
		return result, err
	}
	old := s.Current.Persisted
	due := time.Time{}
	if old != nil && plan.Cause == credential.CauseRenewal {
		due = credential.RenewalTime(s)
	}
	result, err = r.publish(ctx, s, mem, p)
	if result.Wrote && s.Desired.Flow.Exchanges() && plan.Action == credential.ActionIssue && !p.Repeated {
		result.Issued, result.Margin, result.Lateness = true, -1, -1
		result.Routine = plan.Cause == credential.CauseRenewal && credential.RefreshedReason(&s.Object.Status) == ""
		if old != nil && !old.ExpiresAt.IsZero() {
			result.Margin = max(old.ExpiresAt.Sub(r.Clock.Now()), 0)
		}
		if !due.IsZero() {
			result.Lateness = max(p.Persisted.IssuedAt.Sub(due), 0)
		}
		result.Skew = p.Token.Life.Skew
		result.Warnings = credential.NewWarnings(s, old, p)
	}
	return result, err
}
