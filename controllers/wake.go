package controllers

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// wake says how soon the object is looked at again: for what is to be tried next, verifications and restarts (nextAt) included, and at the second at
// which the token expires. Zero: when something changes.
func wake(v *view, s step, out outcome, nextAt time.Time, status *v1alpha1.CDPCredentialStatus) time.Duration {
	times := []time.Time{nextAt, out.at}
	if v.held.holds(v.now) {
		times = append(times, v.held.rec.ExpiresAt)
	}
	if c := status.Contest; c != nil && !v.obj.Spec.Suspend && v.now.Before(c.Until.Time) {
		times = append(times, c.Until.Time)
	}
	switch {
	case v.obj.Spec.Suspend:
		if status.NextRefreshTime != nil {
			times = append(times, status.NextRefreshTime.Time) // until then it would wait if it were resumed
		}
	case out.waiting:
		if out.heldUp != nil && !out.heldUp.long(v.now) {
			times = append(times, out.heldUp.since.Add(heldUpAfter)) // to tell of it
		}
	case out.failure != nil:
		if out.failure.reason == v1alpha1.ReasonTargetContested {
			times = append(times, out.failure.retryAt) // the renewal, exactly
		} else if status.NextRefreshTime != nil {
			times = append(times, status.NextRefreshTime.Time)
		}
	case s.keep: // out.at, which knows of a clock that was set, where status may not
	case v.held.rec != nil:
		times = append(times, renewAt(v)) // exact, where status has whole seconds
	}
	first := sooner(times...)
	if first.IsZero() {
		return 0
	}
	return max(first.Sub(v.now), time.Millisecond) // zero would mean never
}

// sooner is the first of the times that are not zero.
func sooner(times ...time.Time) time.Time {
	var first time.Time
	for _, t := range times {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}
