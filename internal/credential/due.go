package credential

import (
	"strings"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// due says what the target needs, and why.
func due(s *State) (Action, cause) {
	switch {
	case !s.Current.Found || s.Current.Owner() != s.Object.Name:
		return ActionIssue, CauseMissing
	case !s.Current.HasToken():
		return ActionIssue, causeReplaced
	case !s.Desired.Flow.Exchanges():
		switch {
		case s.Difference != Same || TargetDrifted(s):
			return ActionIssue, CauseChanged
		case refreshWanted(s):
			return ActionIssue, CauseRequested
		}
		return ActionNone, ""
	case !s.Current.Persisted.ExpiresAt.IsZero() && !s.Now.Before(RenewalTime(s)): // basic's user name and password never end
		return ActionIssue, CauseRenewal
	case s.Difference == UpdatableOnly && s.Current.HoldsToken(s.Now) && !s.UpdateRefused && !refreshWanted(s):
		return ActionUpdate, CauseChanged
	case s.Difference != Same:
		return ActionIssue, CauseChanged
	case refreshWanted(s):
		return ActionIssue, CauseRequested
	case s.Rejected && s.Current.Persisted.Cause != CauseRejected:
		return ActionIssue, CauseRejected
	case TargetDrifted(s) && s.Current.HoldsToken(s.Now): // one that has ended is not published again: the next one is about to come
		return ActionRewrite, ""
	}
	return ActionNone, ""
}

func refreshWanted(s *State) bool {
	return RefreshRequested(s) || s.Object.Status.RefreshPending && !newerThanStatus(s)
}

// newerThanStatus says whether the held token was issued after the one that status tells of: the pass that wrote it could not say so.
func newerThanStatus(s *State) bool {
	rec, told := s.Current.Persisted, s.Object.Status.LastRefreshTime
	return rec != nil && told != nil && rec.IssuedAt.Sub(told.Time) >= time.Second // status has whole seconds
}

// RefreshRequested says whether a refresh was asked for that has not been tried. A status that was lost does not make it new: the record on the
// target has it, too.
func RefreshRequested(s *State) bool {
	request := RefreshRequest(s.Object)
	if request == "" || request == s.Object.Status.LastHandledRefreshRequest {
		return false
	}
	return s.Current.Persisted == nil || request != s.Current.Persisted.HandledRequest
}

func RefreshRequest(obj *v1alpha1.CDPCredential) string {
	request := obj.Annotations[v1alpha1.RefreshRequestedAtAnnotation]
	// What is no UTF-8 would come back from the API server as something else, and so be asked for again and again.
	return strings.ToValidUTF8(request[:min(len(request), maxRequest)], "")
}

// maxRequest bounds what of the annotation is kept in status.
const maxRequest = 256

func refreshBefore(spec *v1alpha1.CDPCredentialSpec) time.Duration {
	if spec.Refresh == nil {
		return 0
	}
	return durationOr(spec.Refresh.Before, 0)
}
