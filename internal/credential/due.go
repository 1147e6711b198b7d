// SPDX-License-Identifier: Apache-2.0

package credential

// due returns what the target needs, and why. The first rule that applies wins; docs/design.md has them as a table.
func due(s *State) (Action, Cause) {
	if why := tokenLost(s); why != "" {
		return ActionIssue, why
	}
	if !s.Desired.Flow.Exchanges() {
		return dueWithoutExchange(s)
	}
	if updateSuffices(s) {
		return ActionUpdate, CauseChanged
	}
	if why := newTokenDue(s); why != "" {
		return ActionIssue, why
	}
	if drift(s) != NoDrift && s.Current.HoldsToken(s.Now) { // an expired token is not published again: its successor is on the way
		return ActionRewrite, ""
	}
	return ActionNone, ""
}

// dueWithoutExchange is due for a flow that copies the client Secret's values: issuing them costs nothing, so every rewrite issues them again.
func dueWithoutExchange(s *State) (Action, Cause) {
	switch {
	case s.Difference != Same, drift(s) != NoDrift:
		return ActionIssue, CauseChanged
	case refreshPending(s):
		return ActionIssue, CauseRequested
	}
	return ActionNone, ""
}

// tokenLost returns why the target holds no token of ours. Empty: it holds one.
func tokenLost(s *State) Cause {
	switch {
	case !s.Current.Found, s.Current.Owner() != s.Object.Name:
		return CauseMissing
	case !s.Current.HasToken():
		return CauseReplaced
	}
	return ""
}

// newTokenDue returns why the current token has to be replaced by a new one. Empty: it does not.
func newTokenDue(s *State) Cause {
	switch {
	case renewalTimeReached(s):
		return CauseRenewal
	case s.Difference != Same:
		return CauseChanged
	case refreshPending(s):
		return CauseRequested
	case rejectedByAPI(s):
		return CauseRejected
	}
	return ""
}

func renewalTimeReached(s *State) bool {
	renewal := renewalTime(s)
	return !renewal.IsZero() && !s.Now.Before(renewal)
}

// updateSuffices reports whether the vendor can change the current token as the spec now wants it, so that no new one is needed.
func updateSuffices(s *State) bool {
	updatable := s.Difference == UpdatableOnly && !s.UpdateRefused && s.Current.HoldsToken(s.Now)
	return updatable && !renewalTimeReached(s) && !refreshPending(s)
}

// rejectedByAPI reports whether the API refused the current token. One that was itself issued because of a refusal is not replaced again.
func rejectedByAPI(s *State) bool { return s.Rejected && s.Current.Persisted.Cause != CauseRejected }
