// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// RejectedBefore reports whether status knows that the API answered 401 to the held token: the exchange that this called for has failed.
func RejectedBefore(s *State) bool {
	last := s.Object.Status.LastAttempt
	return last != nil && last.TokenRejected && !newerThanStatus(s)
}

const (
	defaultVerifyInterval = 5 * time.Minute
	minVerifyInterval     = time.Second
	// VerifyAgain is the wait after the API server has refused a read.
	VerifyAgain = 10 * time.Second
)

// A Verification is what a try of the token against the API came to.
type Verification struct {
	Status          metav1.ConditionStatus
	Reason, Message string
	Correlation     string
	// Undecided says that the API answered neither yes nor no: that changes nothing.
	Undecided bool
	// Unsettled says that it answered no to a token that has just ended the one before, of which it may not know yet.
	Unsettled bool
	// Distrusts says that it was not called because the client Secret brings no good CA.
	Distrusts bool
}

// VerificationGateRequest is what an object says to the gate when its token is to be tried.
func VerificationGateRequest(s *State, endpoint egress.Endpoint) egress.Request {
	return egress.Request{
		Host: endpoint.String(), Namespace: s.Object.Namespace, Client: s.Object.Spec.ClientSecretRef.Name, Object: ObjectName(s.Object), Verify: true,
		Proven: meta.IsStatusConditionTrue(s.Object.Status.Conditions, v1alpha1.ConditionVerified),
	}
}

// verificationNotAllowed is the verification of a token that may not be sent to the API.
func verificationNotAllowed(f *Failure) *Verification {
	return &Verification{Status: metav1.ConditionFalse, Reason: f.Reason, Message: "spec.verify.url: " + f.Message}
}

// verificationNotTrusted is the verification of a token that was not sent because there is nothing good to check the API's certificate against. Nobody knows what
// the API would say.
func verificationNotTrusted(f *Failure) *Verification {
	return &Verification{Status: metav1.ConditionUnknown, Distrusts: true, Reason: f.Reason, Message: "spec.verify.url is not called: " + f.Message}
}

// neverCalled reports whether a reason of Verified says that the API was not called: what it says next replaces that, whatever it is.
func neverCalled(reason string) bool {
	switch reason {
	case v1alpha1.ReasonHostNotAllowed, v1alpha1.ReasonSecretKeyInvalid, v1alpha1.ReasonSecretKeyMissing:
		return true
	}
	return false
}

// badCA returns what is wrong with the CA that the client Secret, which was read, brings for the API: an exchange would tell, but there may be
// none for a long time, or none at all. Nil: nothing, or the Secret does not consent to being used.
func badCA(s *State, endpoint egress.Endpoint) *Failure {
	if s.Client.Content == nil || clientConsent(s) != nil {
		return nil
	}
	return caConsent(s, endpoint)
}

// addressRefusal is why the API's address is not connected to, if that is what happened.
func addressRefusal(e *exchange.Error) (*egress.RefusedError, bool) {
	if e == nil {
		return nil, false // a nil *Error would be an error that is not nil
	}
	return errors.AsType[*egress.RefusedError](e)
}

// CanVerify reports whether there is a token to verify: spec asks for it, and the target holds a living token as we wrote it.
func CanVerify(s *State) bool {
	wanted := s.Object.Spec.Verify != nil && !s.Object.Spec.Suspend
	ours := s.Target.Content == ContentIntact && s.Target.Owner() == s.Object.Name
	return wanted && ours && !s.IsMoving() && s.Target.HoldsToken(s.Now)
}

// verifyInterval returns how often a token is verified, with the default and the minimum applied.
func verifyInterval(spec *v1alpha1.Verify) time.Duration {
	return max(durationOr(spec.Interval, defaultVerifyInterval), minVerifyInterval)
}

// verifiedBefore reports whether the API's word about the held token is in status already.
func verifiedBefore(s *State) bool {
	c := meta.FindStatusCondition(s.Object.Status.Conditions, v1alpha1.ConditionVerified)
	return c != nil && !neverCalled(c.Reason) && c.ObservedGeneration == s.Object.Generation && s.Object.Status.TargetVersion == s.Target.Version
}

// reportVerification puts what the API said into status. What it did not say changes nothing, once it has said something.
func reportVerification(s *State, plan Plan, result Result, tried *Verification, status *v1alpha1.CDPCredentialStatus) {
	if s.Object.Spec.Verify == nil {
		remove(status, v1alpha1.ConditionVerified)
		return
	}
	if tried == nil && s.Rejected && (plan.Keep || result.Failure != nil) {
		tried = &Verification{
			Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonTokenRejected,
			Message: "the API does not accept the token, and there is no new one: see the condition Refreshed",
		}
	}
	was := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionVerified)
	switch {
	case tried == nil || tried.Reason == "":
	case tried.Undecided && was != nil && !neverCalled(was.Reason): // else it could be called by now
	default:
		f := &Failure{Reason: tried.Reason, Message: tried.Message, Correlation: tried.Correlation}
		message := tried.Message
		if tried.Status != metav1.ConditionTrue {
			message = steadyMessage(was, s.Object.Generation, f)
		}
		set(s, status, v1alpha1.ConditionVerified, tried.Status, tried.Reason, message)
	}
}
