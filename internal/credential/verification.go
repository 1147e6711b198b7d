// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

const (
	defaultVerifyInterval = 5 * time.Minute
	minVerifyInterval     = time.Second
	// VerifyAgain is how long to wait after the API server has refused a read.
	VerifyAgain = 10 * time.Second
)

// A Verification is what came of trying the token against the API.
type Verification struct {
	Status          metav1.ConditionStatus
	Reason, Message string
	Correlation     string
	// Undecided says that the API answered neither yes nor no, which changes nothing.
	Undecided bool
	// Unsettled says that the API refused a token that has just invalidated the one before. It may not know that token yet.
	Unsettled bool
	// Distrusts says that the API was not called, because the client Secret has no valid CA for it.
	Distrusts bool
}

// canVerify reports whether there is a token to verify: spec asks for it, and the target holds a token as we wrote it that has not expired.
func canVerify(s *State) bool {
	wanted := s.Object.Spec.Verify != nil && !s.Object.Spec.Suspend
	asWritten := s.Target.Content == ContentIntact && s.Target.Owner() == s.Object.Name
	return wanted && asWritten && !s.IsMoving() && s.Target.HoldsToken(s.Now)
}

// verifyInterval returns how often a token is verified, with the default and the minimum applied.
func verifyInterval(spec *v1alpha1.Verify) time.Duration {
	return max(durationOr(spec.Interval, defaultVerifyInterval), minVerifyInterval)
}

// verifiedBefore reports whether status has the API's answer to the current token.
func verifiedBefore(s *State) bool {
	c := meta.FindStatusCondition(s.Object.Status.Conditions, v1alpha1.ConditionVerified)
	return c != nil && !neverCalled(c.Reason) && c.ObservedGeneration == s.Object.Generation && s.Object.Status.TargetVersion == s.Target.Version
}

// rejectedBefore reports whether status says that the API refused the current token, and that the exchange for a new one has failed.
func rejectedBefore(s *State) bool {
	last := s.Object.Status.LastAttempt
	return last != nil && last.TokenRejected && !newerThanStatus(s)
}

// VerificationGateRequest describes a verification to the gate.
func VerificationGateRequest(s *State, endpoint egress.Endpoint) egress.Request {
	return egress.Request{
		Host: endpoint.String(), Namespace: s.Object.Namespace, Client: s.Object.Spec.ClientSecretRef.Name, Object: ObjectName(s.Object), Verify: true,
		Proven: meta.IsStatusConditionTrue(s.Object.Status.Conditions, v1alpha1.ConditionVerified),
	}
}

// VerificationGateResult tells the gate what a verification has shown of the API's endpoint.
func VerificationGateResult(got exchange.VerifyResult, ownCA bool) egress.Result {
	if got.Err == nil {
		return egress.Result{Kind: egress.Served}
	}
	return GateResult(got.Err, ownCA)
}

// verificationNotAllowed is for a token that must not be sent to the API.
func verificationNotAllowed(f *Failure) *Verification {
	return &Verification{Status: metav1.ConditionFalse, Reason: f.Reason, Message: "spec.verify.url: " + f.Message}
}

// verificationNotTrusted is for a token that was not sent, because there is no valid CA to check the API's certificate against.
func verificationNotTrusted(f *Failure) *Verification {
	return &Verification{Status: metav1.ConditionUnknown, Distrusts: true, Reason: f.Reason, Message: "spec.verify.url is not called: " + f.Message}
}

// neverCalled reports whether a reason of the condition Verified says that the API was not called. Any answer of the API replaces it.
func neverCalled(reason string) bool {
	switch reason {
	case v1alpha1.ReasonHostNotAllowed, v1alpha1.ReasonSecretKeyInvalid, v1alpha1.ReasonSecretKeyMissing:
		return true
	}
	return false
}

// badCA returns what is wrong with the API's CA in the client Secret, which was read. An exchange would report it, too, but there may be none for a long
// time. Nil: nothing, or the Secret does not consent to be used.
func badCA(s *State, endpoint egress.Endpoint) *Failure {
	if s.Client.Content == nil || clientConsent(s) != nil {
		return nil
	}
	return caConsent(s, endpoint)
}

// addressRefusal returns why our own egress policy does not connect to the API, if that is what happened.
func addressRefusal(e *exchange.Error) (*egress.RefusedError, bool) {
	if e == nil {
		return nil, false // a nil *Error would be an error that is not nil
	}
	return errors.AsType[*egress.RefusedError](e)
}

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
