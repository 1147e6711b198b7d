// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A Failure is what a reconcile reports instead of a token.
type Failure struct {
	Reason string
	// Message says what to do. It has no times and no counters, so that it stays the same from attempt to attempt.
	Message string
	// Correlation is for the vendor's support. It is shown with the first message of a kind.
	Correlation string
	// Stalled says that somebody has to change something; else the operator tries again by itself.
	Stalled bool
	// Attempted says that the attempt was made: it counts, and is not made again before retryAt or a change.
	Attempted bool
	// Sent says that the endpoint was asked.
	Sent bool
	// WriteRefused says that the API server refused the write of the target.
	WriteRefused bool
	// RetryAt is zero where only a change helps.
	RetryAt time.Time
}

// untilAChange reports whether an attempt that failed so is not made again before something changes.
func untilAChange(reason string) bool {
	switch reason {
	case v1alpha1.ReasonSecretKeyMissing, v1alpha1.ReasonSecretKeyInvalid, v1alpha1.ReasonInvalidSpec, v1alpha1.ReasonInvalidTemplate:
		return true
	}
	return false
}

func stalled(reason, message string) *Failure {
	return &Failure{Reason: reason, Message: message, Stalled: true}
}
