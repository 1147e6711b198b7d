// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// A VerificationPlan says whether to try the token against the API now.
type VerificationPlan struct {
	Try bool
	// Known is what is known without a try (nil: nothing), and At when to come back.
	Known *Verification
	At    time.Time
	// Endpoint is the API's.
	Endpoint egress.Endpoint
	// subject identifies what is tried: a token at an address, with its interval and CA.
	subject string
}

// Plan decides whether to try the token now. After a restart, the tries are spread over the interval at random.
func (m *VerificationMemory) Plan(s *State, wrote bool, jitter func() float64) VerificationPlan {
	spec := s.Object.Spec.Verify
	switch {
	case !canVerify(s):
		return VerificationPlan{}
	case wrote:
		return VerificationPlan{At: s.Now} // after status, which must not wait for an API that hangs
	}
	endpoint, err := egress.EndpointOf(string(spec.URL))
	if err != nil {
		return VerificationPlan{Known: &Verification{Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonHostNotAllowed, Message: "spec.verify.url: " + err.Error()}}
	}
	if !s.Client.Found {
		return VerificationPlan{} // reported as SecretNotFound
	}
	if f := hostConsent(s, endpoint); f != nil {
		m.Verified = "" // to be tried as soon as it is allowed
		return VerificationPlan{Known: verificationNotAllowed(f)}
	}
	plan := VerificationPlan{Try: true, Endpoint: endpoint}
	plan.subject = fingerprint(nil, []byte(s.Target.Persisted.TokenMAC), []byte(spec.URL), []byte(verifyInterval(spec).String()), []byte(s.Desired.CAKey))
	if !m.VerifySpread && verifiedBefore(s) {
		m.Verified, m.VerifyAt = plan.subject, s.Now.Add(time.Duration(jitter()*float64(verifyInterval(spec))))
	}
	m.VerifySpread = true
	if m.alreadyTried(s, plan.subject) {
		return VerificationPlan{At: m.VerifyAt}
	}
	return plan
}

// alreadyTried reports whether this was tried last, and the interval is not over. If the client Secret had no valid CA, it may have one now.
func (m *VerificationMemory) alreadyTried(s *State, subject string) bool {
	mayBeTrusted := m.Distrusted != "" && m.Distrusted != s.Client.Version
	return m.Verified == subject && !mayBeTrusted && s.Now.Before(m.VerifyAt)
}

// Tried remembers a try, and returns when to come back.
func (m *VerificationMemory) Tried(s *State, plan VerificationPlan, tried *Verification, now time.Time) time.Time {
	m.Verified, m.VerifyAt, m.Distrusted = plan.subject, now.Add(verifyInterval(s.Object.Spec.Verify)), ""
	switch {
	case tried == nil:
		return s.Now // 401: a new token is due at once
	case tried.Distrusts:
		m.Distrusted = s.Client.Version
	case tried.Unsettled:
		m.VerifyAt = Earliest(m.VerifyAt, s.Target.Persisted.IssuedAt.Add(SettlingTokens))
	}
	return m.VerifyAt
}

// CanBeSent reports whether the client Secret has what goes with the token. If not, the target need not be read.
func CanBeSent(s *State) bool {
	_, err := s.Desired.Request(s.Client.Content)
	return err == nil
}

// VerificationHeaders returns the headers to call the API with. Client Secret and target must have been read. Otherwise, instead says why the API is not
// called.
func VerificationHeaders(s *State, endpoint egress.Endpoint) (headers map[string]string, instead *Verification) {
	if s.Client.Content == nil {
		return nil, &Verification{Undecided: true}
	}
	if f := badCA(s, endpoint); f != nil {
		return nil, verificationNotTrusted(f)
	}
	if f := findBlocker(s, ActionNone); f != nil {
		return nil, &Verification{Undecided: true}
	}
	req, f := liveRequest(s)
	if f != nil || !s.Target.HasToken() || s.Target.Owner() != s.Object.Name {
		return nil, &Verification{Undecided: true}
	}
	if f := hostConsent(s, endpoint); f != nil { // again with the Secret that was read: the cache may have been behind
		return nil, verificationNotAllowed(f)
	}
	value := exchange.Secret(s.Target.Persisted.TokenIn(s.Target.Secret.Data))
	return req.APIHeaders(value, s.Target.Persisted.TokenType), nil
}
