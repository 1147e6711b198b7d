// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// VerificationOf judges the API's answer. Rejected, with nothing to report: it refused the token, and a new one has to be issued first.
func VerificationOf(s *State, got exchange.VerifyResult, now time.Time) (tried *Verification, rejected bool) {
	if refused, ok := addressRefusal(got.Err); ok {
		return unverified(fmt.Sprintf("%s; use a public address, or have an administrator allow this one with --allowed-cidrs", refused.Error()), false), false
	}
	switch got.Verdict {
	case exchange.Accepted:
		return &Verification{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonVerified, Message: "The API accepts the token"}, false
	case exchange.Unauthorized:
		return unauthorized(s, got, now)
	case exchange.Forbidden:
		return &Verification{
			Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonInsufficientScope, Correlation: got.Err.CorrelationID,
			Message: got.Err.Error() + ": give the client the scope that this needs, at the vendor and in spec.provider",
		}, false
	}
	return unverified(got.Err.Error()+"; the operator retries", got.Err != nil && got.Err.Status != 0), false
}

// unauthorized judges a 401.
func unauthorized(s *State, got exchange.VerifyResult, now time.Time) (tried *Verification, rejected bool) {
	expiresNow := !s.Target.HoldsToken(now.Add(ClockNoise))
	newTokenMayHelp := s.Target.Persisted.Cause != CauseRejected && s.Desired.Flow.Exchanges()
	switch {
	case notSettled(s):
		return &Verification{Undecided: true, Unsettled: true}, false
	case expiresNow: // by the API's clock it has expired already, and its successor is on the way
		return &Verification{Undecided: true}, false
	case newTokenMayHelp:
		return nil, true
	}
	return &Verification{
		Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonTokenRejected, Correlation: got.Err.CorrelationID,
		Message: got.Err.Error() + "; a new token was rejected, too: check with the vendor that the client may use this API, and check spec.verify.url",
	}, false
}

// unverified is a verification without a verdict.
func unverified(why string, undecided bool) *Verification {
	return &Verification{
		Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonEndpointUnavailable, Undecided: undecided, Message: "spec.verify.url: " + why,
	}
}
