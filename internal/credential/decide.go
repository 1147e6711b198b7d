// SPDX-License-Identifier: Apache-2.0

package credential

// Decide decides what to do: section 4 of docs/design.md, row by row. What the plan Needs is to be observed, and then decided again.
func Decide(s *State) Plan {
	if s.Object.Spec.Suspend {
		return Plan{}
	}
	do, why := due(s)
	if f := FindBlocker(s, wantedOf(s, do)); f != nil {
		return Plan{Failure: f, Contest: s.Object.Status.Contest}
	}
	repair := repairWeight(s, do, why)
	contest := contestOf(s, repair)
	holdsBack := contest != nil && s.Now.Before(contest.Until.Time)
	repairsNow := repair > 0 && !BackoffOf(s).Waits
	if holdsBack && (do == ActionNone || repairsNow) {
		return Plan{Failure: contested(s, contest), Contest: contest}
	}
	plan := planned(s, do, why)
	plan.Contest, plan.Repair = contest, repair
	if plan.Action != do { // the exchange waits, and a rewrite may be all that there is to do
		plan.Repair = repairWeight(s, plan.Action, "")
		if plan.Repair > 0 && holdsBack {
			plan.Action, plan.Repair = ActionNone, 0
		}
	}
	return prepared(s, plan)
}

// wantedOf is what blockers are looked for. A token that has ended is not written again, but what was wrong with that still is.
func wantedOf(s *State, do Action) Action {
	if do == ActionNone && Drift(s) != NoDrift {
		return ActionRewrite
	}
	return do
}

// planned is the plan where nothing is in the way, and nobody is quarrelled with.
func planned(s *State, do Action, why cause) Plan {
	switch {
	case do == ActionRewrite && unwritable(s):
		return Plan{Keep: true, Wait: Wait{At: BackoffOf(s).Until}}
	case do == ActionNone || do == ActionRewrite:
		return Plan{Action: do}
	}
	plan := plannedIssue(s, do, why)
	needsNoExchange := Drift(s) != NoDrift && s.Current.HoldsToken(s.Now) && canRepublish(s) && !unwritable(s)
	if plan.Action == ActionNone && needsNoExchange { // does not wait for one
		plan.Action = ActionRewrite
	}
	return plan
}

// plannedIssue is the plan for a token that is due: now, or when its time has come.
func plannedIssue(s *State, do Action, why cause) Plan {
	backoff := BackoffOf(s)
	earliest, early := EarliestAttempt(s)
	tooSoonAfterFailure := !earliest.IsZero() && !early && s.Throttled == nil // what is remembered of a 429 is told while it is waited out
	nextToken := LastIssued(s).Add(MinIssueInterval)
	tooSoonAfterToken := s.Now.Before(nextToken) && !replacesEnded(s, why)
	asksNobody := !s.Desired.Flow.Exchanges() || s.Pending != nil
	switch {
	case backoff.Waits:
		return Plan{Cause: why, Keep: true, Wait: Wait{At: backoff.Until}}
	case asksNobody:
		return Plan{Action: do, Cause: why}
	case tooSoonAfterFailure:
		return Plan{Cause: why, Wait: Wait{Waiting: true, At: earliest}}
	case do == ActionUpdate: // which is no new token
		return Plan{Action: do, Cause: why, Early: early}
	case tooSoonAfterToken:
		return Plan{Cause: why, Wait: Wait{Waiting: true, At: nextToken}}
	case budgetSpent(s):
		return Plan{Cause: why, Failure: budgetFailure(s)}
	}
	return Plan{Action: do, Cause: why, Early: early}
}
