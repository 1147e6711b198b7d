// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// A VerificationPlan is whether the token is to be tried now.
type VerificationPlan struct {
	// Try says that it is. Else Known is what is known without that, nil: nothing, and At when to come back.
	Try   bool
	Known *Verification
	At    time.Time
	// Endpoint is the API's.
	Endpoint egress.Endpoint
	// subject is what is tried: a token at an address, with its interval and CA.
	subject string
}

// Plan decides whether the token is to be tried. After a restart the tries are spread by chance over the interval, and not all made at once.
func (m *VerificationMemory) Plan(s *State, wrote bool, chance func() float64) VerificationPlan {
	spec := s.Object.Spec.Verify
	switch {
	case !CanVerify(s):
		return VerificationPlan{}
	case wrote:
		return VerificationPlan{At: s.Now} // first the status, which must not wait for an API that hangs
	}
	endpoint, err := egress.EndpointOf(string(spec.URL))
	if err != nil {
		return VerificationPlan{Known: &Verification{Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonHostNotAllowed, Message: "spec.verify.url: " + err.Error()}}
	}
	if !s.Client.Found {
		return VerificationPlan{} // reported as SecretNotFound
	}
	if f := HostConsent(s, endpoint); f != nil {
		m.Verified = "" // it is tried as soon as it may be again: until then nobody knows
		return VerificationPlan{Known: verificationNotAllowed(f)}
	}
	plan := VerificationPlan{Try: true, Endpoint: endpoint}
	plan.subject = Fingerprint(nil, []byte(s.Target.Persisted.TokenMAC), []byte(spec.URL), []byte(verifyInterval(spec).String()), []byte(s.Desired.CAKey))
	if !m.VerifySpread && verifiedBefore(s) {
		m.Verified, m.VerifyAt = plan.subject, s.Now.Add(time.Duration(chance()*float64(verifyInterval(spec))))
	}
	m.VerifySpread = true
	if m.triedAlready(s, plan.subject) {
		return VerificationPlan{At: m.VerifyAt}
	}
	return plan
}

// Tried remembers a try that has ended, and returns when to come back.
func (m *VerificationMemory) Tried(s *State, plan VerificationPlan, tried *Verification, now time.Time) time.Time {
	m.Verified, m.VerifyAt, m.Distrusted = plan.subject, now.Add(verifyInterval(s.Object.Spec.Verify)), ""
	switch {
	case tried == nil:
		return s.Now // 401: a new token is due at once
	case tried.Distrusts:
		m.Distrusted = s.Client.Version
	case tried.Unsettled:
		m.VerifyAt = Sooner(m.VerifyAt, s.Target.Persisted.IssuedAt.Add(SettlingTokens))
	}
	return m.VerifyAt
}

// triedAlready reports whether this was tried last, and it is not time to try again. A client Secret that had no good CA may have one now.
func (m *VerificationMemory) triedAlready(s *State, subject string) bool {
	mayTrust := m.Distrusted != "" && m.Distrusted != s.Client.Version
	return m.Verified == subject && !mayTrust && s.Now.Before(m.VerifyAt)
}

// VerificationHeaders are what the API is called with, where client Secret and target were read. Else instead says why it is not called.
func VerificationHeaders(s *State, endpoint egress.Endpoint) (headers map[string]string, instead *Verification) {
	if s.Client.Content == nil {
		return nil, &Verification{Undecided: true}
	}
	if bad := badCA(s, endpoint); bad != nil {
		return nil, verificationNotTrusted(bad)
	}
	if f := FindBlocker(s, ActionNone); f != nil {
		return nil, &Verification{Undecided: true}
	}
	req, f := liveRequest(s)
	if f != nil || !s.Target.HasToken() || s.Target.Owner() != s.Object.Name {
		return nil, &Verification{Undecided: true}
	}
	if f := HostConsent(s, endpoint); f != nil { // the client Secret as it is now, where the cache may have been behind
		return nil, verificationNotAllowed(f)
	}
	value := exchange.Secret(s.Target.Persisted.TokenIn(s.Target.Secret.Data))
	return req.APIHeaders(value, s.Target.Persisted.TokenType), nil
}

// VerificationGateResult is what a try says about the API's endpoint. One that we ourselves did not connect to has shown nothing.
func VerificationGateResult(got exchange.VerifyResult, ownCA bool) egress.Result {
	if got.Err == nil {
		return egress.Result{Kind: egress.Served}
	}
	return GateResult(got.Err, ownCA)
}
