// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

const (
	// A contested target is repaired after firstContestWait, doubling to maxContestWait.
	firstContestWait, maxContestWait = 10 * time.Second, 10 * time.Minute
)

// repairWeight is above zero for an action that undoes what somebody else has done to the target: 2 if the token has to be restored.
func repairWeight(s *State, do Action, why cause) int {
	wroteBefore := s.Object.Status.TargetName == s.Target.Name && !s.IsMoving()
	basicAgain := !s.Desired.Flow.Exchanges() && s.Difference == Same && why == CauseChanged
	switch {
	case !wroteBefore:
		return 0
	case why == CauseMissing, why == causeReplaced:
		return 2
	case (do == ActionRewrite || basicAgain) && undone(s):
		return 1
	}
	return 0
}

// undone reports whether somebody has changed our keys, labels, annotations or owner reference, while we want them to be what they were.
func undone(s *State) bool {
	rec := s.Current.Persisted
	if rec == nil || targetSpecChanged(s) || s.ClockJumped() {
		return false
	}
	return s.Current.Content == ContentEdited || metadataEdited(s)
}

// contestOf is the contest over the target that goes on, or that a repair of that weight begins. Nil: there is none.
func contestOf(s *State, weight int) *v1alpha1.Contest {
	if c := s.Object.Status.Contest; c != nil {
		// A clock that was set, or that of another process, may make it look as if there were hours to wait.
		if latest := s.Now.Add(maxContestWait + time.Second); c.Until.After(latest) {
			c = &v1alpha1.Contest{Repairs: c.Repairs, Until: *roundedUp(latest)}
		}
		if s.Now.Before(c.Until.Time) || weight > 0 {
			return c
		}
		return nil // what was written last has stayed for as long as it was waited before
	}
	if weight == 0 || !s.Repairs.recent(s.Now) || s.Repairs.Weight+weight <= maxQuickRepairs {
		return nil
	}
	return &v1alpha1.Contest{Repairs: 1, Until: *roundedUp(s.Repairs.Last.Add(firstContestWait))}
}

// contestAfter is the contest after a pass: what was repaired has to stay for twice as long as it was waited for.
func contestAfter(s *State, plan Plan, result Result) *v1alpha1.Contest {
	if plan.Contest == nil || plan.Repair == 0 || !result.Wrote {
		return plan.Contest
	}
	repairs := min(plan.Contest.Repairs+1, 1000)
	return &v1alpha1.Contest{Repairs: repairs, Until: *roundedUp(s.Now.Add(Doubled(firstContestWait, maxContestWait, repairs-1)))}
}

// contested is what is reported while a contest goes on.
func contested(s *State, c *v1alpha1.Contest) *Failure {
	f := &Failure{Reason: v1alpha1.ReasonTargetContested}
	f.Message = "somebody keeps undoing what is written to Secret " + s.Target.Name +
		": find out who with kubectl get secret --show-managed-fields -o yaml, and have him leave it alone; it is repaired ever more seldom until it stays"
	f.RetryAt = c.Until.Time
	if s.Current.HasToken() && s.Now.Before(RenewalTime(s)) { // which may be just after its end
		f.RetryAt = Sooner(f.RetryAt, RenewalTime(s))
	}
	return f
}
