// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"strings"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// maxRequest bounds what status keeps of the annotation.
const maxRequest = 256

// refreshRequest returns the value with which a user requested a refresh. Empty: nobody did.
func refreshRequest(obj *v1alpha1.CDPCredential) string {
	request := obj.Annotations[v1alpha1.RefreshRequestedAtAnnotation]
	// The API server would store invalid UTF-8 as something else, and the request would look new forever.
	return strings.ToValidUTF8(request[:min(len(request), maxRequest)], "")
}

// isRefreshRequested reports whether a refresh was requested that has not been tried yet. The target remembers the request as well, so that a lost
// status does not repeat it.
func isRefreshRequested(s *State) bool {
	request := refreshRequest(s.Object)
	if request == "" || request == s.Object.Status.LastHandledRefreshRequest {
		return false
	}
	return s.Current.Persisted == nil || request != s.Current.Persisted.HandledRequest
}

// refreshPending reports whether a requested refresh is still to be carried out: it is new, or it was tried without success.
func refreshPending(s *State) bool {
	return isRefreshRequested(s) || s.Object.Status.RefreshPending && !newerThanStatus(s)
}

// newerThanStatus reports whether the current token is newer than the one in status: the reconcile that wrote it could not report it.
func newerThanStatus(s *State) bool {
	current, reported := s.Current.Persisted, s.Object.Status.LastRefreshTime
	return current != nil && reported != nil && current.IssuedAt.Sub(reported.Time) >= time.Second // status has whole seconds
}
