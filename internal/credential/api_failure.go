// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// An APIFailure is since when the API server has refused what passes over an object ask of it, and how often.
type APIFailure struct {
	Since    time.Time
	Failures int32
}

// apiFailureToldAfter is how long the API server may refuse a request before that is told.
const apiFailureToldAfter = time.Minute

// Report is the status of a reconcile that the API server has interrupted: when that is told, zero if it is already, and when Ready turns False.
func (f *APIFailure) Report(s *State, refused *RequestError, heldUpSince time.Time) (status v1alpha1.CDPCredentialStatus, toldAt, expiresAt time.Time) {
	if f.Since.IsZero() || s.Now.Before(f.Since) {
		f.Since = s.Now
	}
	status = *s.Object.Status.DeepCopy()
	since := f.Since
	if RefreshedReason(&status) == "" { // nobody has been told of what the exchange waited for before
		since = Sooner(since, heldUpSince)
	}
	toldAt = since.Add(apiFailureToldAfter)
	if !s.Now.Before(toldAt) {
		ReportUnavailable(s, refused, &status)
		toldAt = time.Time{}
	}
	return status, toldAt, ReportExpiry(s, &status)
}
