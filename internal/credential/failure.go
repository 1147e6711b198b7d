// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A Failure is what a reconcile reports instead of a token.
type Failure struct {
	Reason string
	// Message says what to do. It contains no times and no counters, so that it stays the same from attempt to attempt.
	Message string
	// Correlation is the vendor's correlation ID, for its support. Only the first message of a kind shows it.
	Correlation string
	// Stalled says that somebody has to change something. Otherwise the operator retries by itself.
	Stalled bool
	// Attempted says that this was an attempt: it counts, and is not repeated before RetryAt or a change.
	Attempted bool
	// Sent says that the request reached out to the endpoint.
	Sent bool
	// WriteRefused says that the API server refused to let us write the target.
	WriteRefused bool
	// RetryAt is zero if only a change helps.
	RetryAt time.Time
}

// retriedOnlyAfterChange reports whether an attempt that failed for this reason is pointless until something changes.
func retriedOnlyAfterChange(reason string) bool {
	switch reason {
	case v1alpha1.ReasonSecretKeyMissing, v1alpha1.ReasonSecretKeyInvalid, v1alpha1.ReasonInvalidSpec, v1alpha1.ReasonInvalidTemplate:
		return true
	}
	return false
}

func stalled(reason, message string) *Failure {
	return &Failure{Reason: reason, Message: message, Stalled: true}
}
