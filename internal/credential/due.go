// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"strings"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// due returns what the target needs, and why.
func due(s *State) (Action, cause) {
	if why := tokenLost(s); why != "" {
		return ActionIssue, why
	}
	if !s.Desired.Flow.Exchanges() {
		return dueWithoutExchange(s)
	}
	switch {
	case renewalTimeReached(s):
		return ActionIssue, CauseRenewal
	case updateWillDo(s):
		return ActionUpdate, CauseChanged
	case s.Difference != Same:
		return ActionIssue, CauseChanged
	case refreshWanted(s):
		return ActionIssue, CauseRequested
	case rejectedByAPI(s):
		return ActionIssue, CauseRejected
	case Drift(s) != NoDrift && s.Current.HoldsToken(s.Now): // an expired token is not published again: the next one is about to come
		return ActionRewrite, ""
	}
	return ActionNone, ""
}

// dueWithoutExchange is due where the client Secret's values are copied: to issue them costs nothing.
func dueWithoutExchange(s *State) (Action, cause) {
	switch {
	case s.Difference != Same, Drift(s) != NoDrift:
		return ActionIssue, CauseChanged
	case refreshWanted(s):
		return ActionIssue, CauseRequested
	}
	return ActionNone, ""
}

// tokenLost returns why the target holds no token of ours. Empty: it holds one.
func tokenLost(s *State) cause {
	switch {
	case !s.Current.Found, s.Current.Owner() != s.Object.Name:
		return CauseMissing
	case !s.Current.HasToken():
		return causeReplaced
	}
	return ""
}

func renewalTimeReached(s *State) bool {
	expires := !s.Current.Persisted.ExpiresAt.IsZero() // a user name and a password never do
	return expires && !s.Now.Before(RenewalTime(s))
}

// updateWillDo reports whether the vendor can change the current token, so that no new one is needed.
func updateWillDo(s *State) bool {
	alive := s.Current.HoldsToken(s.Now)
	return s.Difference == UpdatableOnly && alive && !s.UpdateRefused && !refreshWanted(s)
}

// rejectedByAPI reports whether the API refused a token that was not itself issued because of that.
func rejectedByAPI(s *State) bool { return s.Rejected && s.Current.Persisted.Cause != CauseRejected }

func refreshWanted(s *State) bool {
	return RefreshRequested(s) || s.Object.Status.RefreshPending && !newerThanStatus(s)
}

// newerThanStatus reports whether the held token was issued after the one that status tells of: the pass that wrote it could not say so.
func newerThanStatus(s *State) bool {
	rec, told := s.Current.Persisted, s.Object.Status.LastRefreshTime
	return rec != nil && told != nil && rec.IssuedAt.Sub(told.Time) >= time.Second // status has whole seconds
}

// RefreshRequested reports whether a refresh was asked for that has not been tried. A status that was lost does not make it new: the record on the
// target has it, too.
func RefreshRequested(s *State) bool {
	request := RefreshRequest(s.Object)
	if request == "" || request == s.Object.Status.LastHandledRefreshRequest {
		return false
	}
	return s.Current.Persisted == nil || request != s.Current.Persisted.HandledRequest
}

// RefreshRequest returns the value with which a user requested a refresh. Empty: nobody did.
func RefreshRequest(obj *v1alpha1.CDPCredential) string {
	request := obj.Annotations[v1alpha1.RefreshRequestedAtAnnotation]
	// What is no UTF-8 would come back from the API server as something else, and so be asked for again and again.
	return strings.ToValidUTF8(request[:min(len(request), maxRequest)], "")
}

// maxRequest bounds what of the annotation is kept in status.
const maxRequest = 256
