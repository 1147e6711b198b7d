// SPDX-License-Identifier: Apache-2.0

package credential

// Decide decides what to do: section 4 of docs/design.md, row by row.
func Decide(s *State) Plan {
	if s.Object.Spec.Suspend {
		return Plan{}
	}
	do, why := due(s)
	wanted := do
	if do == ActionNone && Drift(s) != NoDrift {
		wanted = ActionRewrite // a token that has ended is not written again, but what was wrong with that still is
	}
	if f := FindBlocker(s, wanted); f != nil {
		return Plan{Failure: f, Contest: s.Object.Status.Contest}
	}
	repair := repairWeight(s, do, why)
	contest := contestOf(s, repair)
	holdsBack := contest != nil && s.Now.Before(contest.Until.Time)
	backsOff := BackoffOf(s).Waits
	if holdsBack && (do == ActionNone || repair > 0 && !backsOff) {
		return Plan{Failure: contested(s, contest), Contest: contest}
	}
	plan := planned(s, do, why)
	plan.Contest, plan.Repair = contest, repair
	if plan.Action != do {
		if plan.Repair = repairWeight(s, plan.Action, ""); plan.Repair > 0 && holdsBack {
			plan.Action, plan.Repair = ActionNone, 0
		}
	}
	return plan
}

// planned is plan where nothing is in the way, and nobody is quarrelled with.
func planned(s *State, do Action, why cause) Plan {
	if do == ActionRewrite && unwritable(s) {
		until := BackoffOf(s).Until
		return Plan{Keep: true, At: until}
	}
	if do == ActionNone || do == ActionRewrite {
		return Plan{Action: do}
	}
	wait := Plan{Cause: why}
	backoff := BackoffOf(s)
	earliest, early := EarliestAttempt(s)
	interval := LastIssued(s).Add(MinIssueInterval)
	switch {
	case backoff.Waits:
		wait.Keep, wait.At = true, backoff.Until
	case !s.Desired.Flow.Exchanges() || s.HasPendingToken:
		return Plan{Action: do, Cause: why}
	case !earliest.IsZero() && !early && !s.Throttled: // what is remembered of a 429 is told while it is waited out
		wait.At = earliest
	case do == ActionUpdate:
		return Plan{Action: do, Cause: why, Early: early}
	case s.Now.Before(interval) && !replacesEnded(s, why):
		wait.At = interval
	case budgetSpent(s):
		wait.Failure = budgetFailure(s)
	default:
		return Plan{Action: do, Cause: why, Early: early}
	}
	// What needs no exchange does not wait for one.
	if Drift(s) != NoDrift && s.Current.HoldsToken(s.Now) && canRepublish(s) && !unwritable(s) {
		wait.Action = ActionRewrite
	}
	return wait
}
