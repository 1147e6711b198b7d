package controllers

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

const (
	// maxQuickRepairs is how much may be repaired at once before that is a contest. A token counts twice: it costs an exchange.
	maxQuickRepairs = 5
	// repairWindow is how soon after a repair the next one counts together with it. A token can be restored every 10 s only.
	repairWindow = 2 * minInterval
	// A contested target is repaired after firstContestWait, doubling to maxContestWait.
	firstContestWait, maxContestWait = 10 * time.Second, 10 * time.Minute
)

// quickRepairs are the last repairs of a target that one process has made.
type quickRepairs struct {
	weight int
	last   time.Time
}

// and is q with one more.
func (q quickRepairs) and(weight int, now time.Time) quickRepairs {
	if !q.recent(now) {
		q.weight = 0
	}
	return quickRepairs{weight: q.weight + weight, last: now}
}

func (q quickRepairs) recent(now time.Time) bool {
	return !q.last.IsZero() && now.Before(q.last.Add(repairWindow))
}

// An unansweredRepair is one whose write ended in an error: it may have been made all the same.
type unansweredRepair struct {
	weight  int
	contest *v1alpha1.Contest
}

// unanswered is the repair of a step that ended in an error. Nil: there is none.
func unanswered(s step, err error) *unansweredRepair {
	if err == nil || s.repair == 0 {
		return nil
	}
	return &unansweredRepair{s.repair, s.contest}
}

// confirmRepair counts a repair whose answer was lost, once the target shows that it was made. It has to stay for as long as any other.
func confirmRepair(v *view, mem *remembered) {
	lost := mem.unansweredRepair
	if lost == nil || !v.target.has() {
		return
	}
	do, why := due(v)
	if repairWeight(v, do, why) > 0 {
		return // it is still to be made
	}
	mem.unansweredRepair = nil
	mem.repairs = mem.repairs.and(lost.weight, v.now)
	v.repairs = mem.repairs
	if lost.contest != nil {
		v.obj.Status.Contest = contestAfter(v, step{contest: lost.contest, repair: lost.weight}, outcome{wrote: true})
	}
}

// repairWeight is above zero for an action that undoes what somebody else has done to the target: 2 if the token has to be restored.
func repairWeight(v *view, do action, why cause) int {
	wroteBefore := v.obj.Status.TargetName == v.target.name && !v.moving()
	switch {
	case !wroteBefore:
		return 0
	case why == causeMissing, why == causeReplaced:
		return 2
	case (do == rewrite || !v.intent.flow.Exchanges() && v.difference == same && why == causeChanged) && undone(v):
		return 1
	}
	return 0
}

// undone reports whether somebody has changed our keys, labels, annotations or owner reference, while we want them to be what they were.
func undone(v *view) bool {
	rec := v.held.rec
	return rec != nil && rec.Shape == shapeOf(&v.obj.Spec.Target) && !v.clockJumped() && (v.held.content == edited || drifted(v))
}

// contestOf is the contest over the target that goes on, or that a repair of that weight begins. Nil: there is none.
func contestOf(v *view, weight int) *v1alpha1.Contest {
	if c := v.obj.Status.Contest; c != nil {
		// A clock that was set, or that of another process, may make it look as if there were hours to wait.
		if latest := v.now.Add(maxContestWait + time.Second); c.Until.After(latest) {
			c = &v1alpha1.Contest{Repairs: c.Repairs, Until: *roundedUp(latest)}
		}
		if v.now.Before(c.Until.Time) || weight > 0 {
			return c
		}
		return nil // what was written last has stayed for as long as it was waited before
	}
	if weight == 0 || !v.repairs.recent(v.now) || v.repairs.weight+weight <= maxQuickRepairs {
		return nil
	}
	return &v1alpha1.Contest{Repairs: 1, Until: *roundedUp(v.repairs.last.Add(firstContestWait))}
}

// contestAfter is the contest after a pass: what was repaired has to stay for twice as long as it was waited for.
func contestAfter(v *view, s step, out outcome) *v1alpha1.Contest {
	if s.contest == nil || s.repair == 0 || !out.wrote {
		return s.contest
	}
	repairs := min(s.contest.Repairs+1, 1000)
	return &v1alpha1.Contest{Repairs: repairs, Until: *roundedUp(v.now.Add(doubled(firstContestWait, maxContestWait, repairs-1)))}
}

// contested is what is reported while a contest goes on.
func contested(v *view, c *v1alpha1.Contest) *failure {
	f := &failure{reason: v1alpha1.ReasonTargetContested}
	f.message = "somebody keeps undoing what is written to Secret " + v.target.name +
		": find out who with kubectl get secret --show-managed-fields -o yaml, and have him leave it alone; it is repaired ever more seldom until it stays"
	f.retryAt = c.Until.Time
	if v.held.has() && v.now.Before(renewAt(v)) { // which may be just after its end
		f.retryAt = sooner(f.retryAt, renewAt(v))
	}
	return f
}
