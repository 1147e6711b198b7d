// SPDX-License-Identifier: Apache-2.0

package credential

// Decide decides what to do: section 4 of docs/design.md, row by row. What the plan Needs has to be observed, and Decide called again.
func Decide(s *State) Plan {
	if s.Object.Spec.Suspend {
		return Plan{}
	}
	action, why := due(s)
	if f := findBlocker(s, wantedAction(s, action)); f != nil {
		return Plan{Failure: f, Contest: s.Object.Status.Contest}
	}
	repair := repairWeight(s, action, why)
	contest := contestOf(s, repair)
	holdsBack := contest != nil && s.Now.Before(contest.Until.Time)
	repairsNow := repair > 0 && !backoffOf(s).Waits
	if holdsBack && (action == ActionNone || repairsNow) {
		return Plan{Failure: contested(s, contest), Contest: contest}
	}
	plan := planned(s, action, why)
	plan.Contest, plan.Repair = contest, repair
	if plan.Action != action { // the exchange waits, and there may be a rewrite to do meanwhile
		plan.Repair = repairWeight(s, plan.Action, "")
		if plan.Repair > 0 && holdsBack {
			plan.Action, plan.Repair = ActionNone, 0
		}
	}
	return prepared(s, plan)
}

// wantedAction is the action that blockers are looked for. An expired token is not written again, but what prevents that is reported nevertheless.
func wantedAction(s *State, action Action) Action {
	if action == ActionNone && drift(s) != NoDrift {
		return ActionRewrite
	}
	return action
}

// planned is the plan if nothing blocks the action, and no contest holds it back.
func planned(s *State, action Action, why Cause) Plan {
	switch {
	case action == ActionRewrite && unwritable(s):
		return Plan{Keep: true, Wait: Wait{At: backoffOf(s).Until}}
	case action == ActionNone || action == ActionRewrite:
		return Plan{Action: action}
	}
	plan := plannedIssue(s, action, why)
	rewriteMeanwhile := drift(s) != NoDrift && s.Current.HoldsToken(s.Now) && canRepublish(s) && !unwritable(s)
	if plan.Action == ActionNone && rewriteMeanwhile {
		plan.Action = ActionRewrite
	}
	return plan
}

// plannedIssue is the plan for a token that is due: now, or when its time has come.
func plannedIssue(s *State, action Action, why Cause) Plan {
	backoff := backoffOf(s)
	earliest, early := earliestAttempt(s)
	tooSoonAfterFailure := !earliest.IsZero() && !early && s.Throttled == nil // a remembered 429 is reported first
	nextToken := lastIssued(s).Add(MinIssueInterval)
	tooSoonAfterToken := s.Now.Before(nextToken) && !replacesEnded(s, why)
	needsNoExchange := !s.Desired.Flow.Exchanges() || s.Pending != nil
	switch {
	case backoff.Waits:
		return Plan{Cause: why, Keep: true, Wait: Wait{At: backoff.Until}}
	case needsNoExchange:
		return Plan{Action: action, Cause: why}
	case tooSoonAfterFailure:
		return Plan{Cause: why, Wait: Wait{Waiting: true, At: earliest}}
	case action == ActionUpdate: // not a new token, so the limits of those do not apply
		return Plan{Action: action, Cause: why, Early: early}
	case tooSoonAfterToken:
		return Plan{Cause: why, Wait: Wait{Waiting: true, At: nextToken}}
	case budgetSpent(s):
		return Plan{Cause: why, Failure: budgetFailure(s)}
	}
	return Plan{Action: action, Cause: why, Early: early}
}
