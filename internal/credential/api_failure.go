// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// apiFailureReportedAfter is how long the API server may refuse requests before status says so.
const apiFailureReportedAfter = time.Minute

// An APIFailure says since when the API server has refused the requests that an object needs, and how often.
type APIFailure struct {
	Since    time.Time
	Failures int32
}

// Report returns the status of a reconcile that the API server has interrupted. reportAt is when it will say so (zero: it does already), expiresAt when
// Ready turns False.
func (f *APIFailure) Report(s *State, refused *RequestError, heldUpSince time.Time) (status v1alpha1.CDPCredentialStatus, reportAt, expiresAt time.Time) {
	if f.Since.IsZero() || s.Now.Before(f.Since) {
		f.Since = s.Now
	}
	status = *s.Object.Status.DeepCopy()
	since := f.Since
	if refreshedReason(&status) == "" { // an exchange that was held up before has not been reported either
		since = Earliest(since, heldUpSince)
	}
	reportAt = since.Add(apiFailureReportedAfter)
	if !s.Now.Before(reportAt) {
		reportUnavailable(s, refused, &status)
		reportAt = time.Time{}
	}
	return status, reportAt, reportExpiry(s, &status)
}
