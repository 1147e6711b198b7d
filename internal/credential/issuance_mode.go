// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"errors"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

const (
	// oneActiveLead is the most that a token is renewed early where a new one ends it: pods hold a dead token from then on.
	oneActiveLead = 90 * time.Second
	// AfterExpiry is how long after its end a token that cannot be renewed early is replaced. An endpoint that says what is left in whole seconds
	// means up to one more.
	AfterExpiry = time.Second
	// earlyTry is which of the tokens of an endpoint that gives the same one until it ends is tried early all the same: habits change.
	earlyTry = 10
	// MaxRepeats is how often an endpoint may give a token that should have ended before that is a failure.
	MaxRepeats = 3
	// SettlingTokens is how long an API may refuse a token that has just ended the one before: not all of its nodes know of it yet.
	SettlingTokens = 2 * time.Minute
)

// issuanceMode is what the endpoint means by a new token: section 4 of the contract. Empty: there is none.
func issuanceMode(s *State) v1alpha1.IssuanceMode {
	rec := s.Current.Persisted
	switch {
	case !s.Desired.Flow.Exchanges() || rec == nil || rec.ExpiresAt.IsZero():
		return ""
	case oneActive(&s.Object.Spec):
		return v1alpha1.IssuanceModeOneActive
	case s.Repeated || rec.SameCount > 0:
		return v1alpha1.IssuanceModeSameUntilExpiry
	}
	return v1alpha1.IssuanceModeFresh
}

func oneActive(spec *v1alpha1.CDPCredentialSpec) bool {
	return spec.Refresh != nil && spec.Refresh.Issuance == v1alpha1.IssuanceOneActive
}

// waitsForExpiry reports whether the endpoint gives no other token than the held one before that has ended. Of every tenth token this is tried.
func waitsForExpiry(s *State) bool {
	rec := s.Current.Persisted
	return s.Repeated || rec.SameCount > 0 && rec.SameCount%earlyTry != 0 && !oneActive(&s.Object.Spec)
}

// RenewalTime is when the held token is to be replaced. Zero for one that never is.
func RenewalTime(s *State) time.Time {
	life, before := s.Current.Persisted.life(), refreshBefore(&s.Object.Spec)
	switch {
	case life.ExpiresAt.IsZero():
		return time.Time{}
	case waitsForExpiry(s):
		return life.ExpiresAt.Add(AfterExpiry)
	case oneActive(&s.Object.Spec):
		return life.RenewLate(before, oneActiveLead)
	}
	return life.RenewAt(before, string(s.Object.UID))
}

// RepeatedBefore reports whether status has it that the endpoint gave the held token again when it was to be renewed.
func RepeatedBefore(s *State) bool {
	until, rec := s.Object.Status.RepeatedUntil, s.Current.Persisted
	return until != nil && rec != nil && until.Sub(rec.ExpiresAt).Abs() < ClockNoise
}

// IsCurrentToken reports whether an answer has the held token.
func IsCurrentToken(s *State, got exchange.Token) bool {
	rec := s.Current.Persisted
	return s.Current.HasToken() && s.Current.Owner() == s.Object.Name && !rec.ExpiresAt.IsZero() && rec.TokenMACOf([]byte(got.Value)) == rec.TokenMAC
}

// EndsLater reports whether the held token was given more time: it is then published like a new one.
func EndsLater(s *State, got exchange.Token) bool {
	return got.Life.ExpiresAt.After(s.Current.Persisted.ExpiresAt.Add(ClockNoise))
}

// sameOf counts the tokens in a row of an endpoint that gives the same one until it ends. Zero: it does not, or nobody knows.
func sameOf(s *State, why cause, got exchange.Token) int {
	rec := s.Current.Persisted
	switch {
	case rec == nil || rec.SpecHash != s.Desired.SpecHash || issuanceMode(s) != v1alpha1.IssuanceModeSameUntilExpiry:
		return 0
	case IsCurrentToken(s, got):
		return max(rec.SameCount, 1)
	case why == CauseRenewal && got.Life.IssuedAt.Before(rec.ExpiresAt):
		return 0 // it was to be had early
	}
	return rec.SameCount + 1
}

// endedToken reports whether the endpoint has handed out a token that has ended, when it was asked for one right after the end of the held one.
func endedToken(s *State, why cause, err error) bool {
	renewal := why == CauseRenewal && s.Current.HasToken() && waitsForExpiry(s)
	return renewal && errors.Is(err, token.ErrExpired) && s.Now.Sub(s.Current.Persisted.ExpiresAt) < 2*MinIssueInterval
}

// NotSettled reports whether the held token has just ended the one before, so that not every node of the API may know it.
func NotSettled(s *State) bool {
	return oneActive(&s.Object.Spec) && s.Now.Before(s.Target.Persisted.IssuedAt.Add(SettlingTokens))
}

func refreshBefore(spec *v1alpha1.CDPCredentialSpec) time.Duration {
	if spec.Refresh == nil {
		return 0
	}
	return durationOr(spec.Refresh.Before, 0)
}
