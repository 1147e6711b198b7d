// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

const (
	// maxQuickRepairs is how much may be repaired at once before that is a contest. A token counts twice: it costs an exchange.
	maxQuickRepairs = 5
	// repairWindow is how soon after a repair the next one counts together with it. A token can be restored every 10 s only.
	repairWindow = 2 * MinIssueInterval
	// A contested target is repaired after firstContestWait, doubling to maxContestWait.
	firstContestWait, maxContestWait = 10 * time.Second, 10 * time.Minute
)

// quickRepairs are the last repairs of a target that one process has made.
type quickRepairs struct {
	Weight int
	Last   time.Time
}

// Plus is q with one more.
func (q quickRepairs) Plus(weight int, now time.Time) quickRepairs {
	if !q.recent(now) {
		q.Weight = 0
	}
	return quickRepairs{Weight: q.Weight + weight, Last: now}
}

func (q quickRepairs) recent(now time.Time) bool {
	return !q.Last.IsZero() && now.Before(q.Last.Add(repairWindow))
}

// An unansweredRepair is one whose write ended in an error: it may have been made all the same.
type unansweredRepair struct {
	Weight  int
	Contest *v1alpha1.Contest
}

// NewUnansweredRepair is the repair of a step that ended in an error. Nil: there is none.
func NewUnansweredRepair(plan Plan, err error) *unansweredRepair {
	if err == nil || plan.Repair == 0 {
		return nil
	}
	return &unansweredRepair{plan.Repair, plan.Contest}
}

// A RepairHistory is what one process knows of its repairs of a target.
type RepairHistory struct {
	Quick quickRepairs
	// Lost is a repair that may have been made, too. Nil: there is none.
	Lost *unansweredRepair
}

// Confirm counts a repair whose answer was lost, once the target shows that it was made. It has to stay for as long as any other.
func (h *RepairHistory) Confirm(s *State) {
	lost := h.Lost
	if lost == nil || !s.Target.HasToken() {
		return
	}
	do, why := due(s)
	if repairWeight(s, do, why) > 0 {
		return // it is still to be made
	}
	h.Lost = nil
	h.Quick = h.Quick.Plus(lost.Weight, s.Now)
	s.Repairs = h.Quick
	if lost.Contest != nil {
		s.Object.Status.Contest = contestAfter(s, Plan{Contest: lost.Contest, Repair: lost.Weight}, Result{Wrote: true})
	}
}

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
