package credential

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// unwritable says whether the last attempt failed for what a rewriting needs, too: values that the client Secret lacks, or the right to write the target.
func unwritable(s *State) bool {
	until, waiting := Backoff(s)
	return waiting && (until.IsZero() || RefreshedReason(&s.Object.Status) == v1alpha1.ReasonTargetUnusable)
}

// Backoff says whether an earlier attempt's failure is still to be waited out, and until when; zero means until a change.
func Backoff(s *State) (until time.Time, waiting bool) {
	status := &s.Object.Status
	last := status.LastAttempt
	if last == nil {
		return time.Time{}, false
	}
	if last.Superseded {
		return time.Time{}, false
	}
	reason := RefreshedReason(status)
	clientChanged := last.ClientSecretVersion != s.Client.Version && !s.AttemptUnchanged
	// A throttled client waits as long as it was told to, unless it would be another client now.
	changed := clientChanged || last.Generation != s.Object.Generation && (reason != v1alpha1.ReasonThrottled || last.Asked != s.Desired.SpecHash)
	if changed {
		return time.Time{}, false
	}
	if RefreshRequested(s) && (reason != v1alpha1.ReasonThrottled || Insists(s)) {
		return time.Time{}, false
	}
	if status.NextRefreshTime == nil {
		// No time: the wait is over, and it had to wait for its turn since. Nor may what has no reason any more wait, because a process that had an
		// old list has written its conditions: somebody is to be told again.
		return time.Time{}, untilAChange(reason)
	}
	until = status.NextRefreshTime.Time
	if RefreshRequested(s) && last.Time != nil {
		until = Sooner(until, lastAsked(s).Add(insistInterval))
	}
	return until, s.Now.Before(until)
}
