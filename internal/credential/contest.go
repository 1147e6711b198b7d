// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A contested target is repaired after firstContestWait, doubling to maxContestWait.
const firstContestWait, maxContestWait = 10 * time.Second, 10 * time.Minute

// repairWeight is above zero for an action that undoes what somebody else did to the target: 2 if that costs a token.
func repairWeight(s *State, action Action, why Cause) int {
	wroteBefore := s.Object.Status.TargetName == s.Target.Name && !s.IsMoving()
	copiesAgain := !s.Desired.Flow.Exchanges() && s.Difference == Same && why == CauseChanged
	switch {
	case !wroteBefore:
		return 0
	case why == CauseMissing, why == CauseReplaced:
		return 2
	case (action == ActionRewrite || copiesAgain) && editedByOthers(s):
		return 1
	}
	return 0
}

// editedByOthers reports whether somebody changed our keys, labels, annotations or owner reference, while we still want what we wrote.
func editedByOthers(s *State) bool {
	if s.Current.Persisted == nil || targetSpecChanged(s) || s.ClockJumped() {
		return false
	}
	return s.Current.Content == ContentEdited || metadataEdited(s)
}

// contestOf returns the contest over the target that is under way, or that a repair of this weight starts. Nil: none.
func contestOf(s *State, weight int) *v1alpha1.Contest {
	if c := s.Object.Status.Contest; c != nil {
		return contestUnderWay(s, c, weight)
	}
	tooMany := s.Repairs.recent(s.Now) && s.Repairs.Weight+weight > maxQuickRepairs
	if weight == 0 || !tooMany {
		return nil
	}
	return &v1alpha1.Contest{Repairs: 1, Until: *roundedUp(s.Repairs.Last.Add(firstContestWait))}
}

// contestUnderWay returns nil once what was written last has stayed for as long as it had to.
func contestUnderWay(s *State, c *v1alpha1.Contest, weight int) *v1alpha1.Contest {
	if latest := s.Now.Add(maxContestWait + time.Second); c.Until.After(latest) { // written on another clock, or before the clock was set back
		c = &v1alpha1.Contest{Repairs: c.Repairs, Until: *roundedUp(latest)}
	}
	if s.Now.Before(c.Until.Time) || weight > 0 {
		return c
	}
	return nil
}

// contestAfter is the contest after a reconcile. What was repaired has to stay for twice as long as the repair had to wait.
func contestAfter(s *State, plan Plan, result Result) *v1alpha1.Contest {
	if plan.Contest == nil || plan.Repair == 0 || !result.Wrote {
		return plan.Contest
	}
	repairs := min(plan.Contest.Repairs+1, 1000)
	return &v1alpha1.Contest{Repairs: repairs, Until: *roundedUp(s.Now.Add(Doubled(firstContestWait, maxContestWait, repairs-1)))}
}

// contested is what is reported during a contest.
func contested(s *State, c *v1alpha1.Contest) *Failure {
	f := &Failure{Reason: v1alpha1.ReasonTargetContested}
	f.Message = "another writer keeps undoing what the operator writes to Secret " + s.Target.Name +
		": find it with kubectl get secret --show-managed-fields -o yaml, and stop it; until then the operator retries at growing intervals"
	f.RetryAt = c.Until.Time
	if s.Current.HasToken() && s.Now.Before(renewalTime(s)) { // which may be just after its end
		f.RetryAt = Earliest(f.RetryAt, renewalTime(s))
	}
	return f
}
