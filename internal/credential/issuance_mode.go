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
	// oneActiveLead limits how early a token is renewed if a new one invalidates it: pods use a dead token from then on.
	oneActiveLead = 90 * time.Second
	// promptOneActiveLead is the same where pods see a new token within seconds: time for the longest exchange and a write.
	promptOneActiveLead = 20 * time.Second
	// AfterExpiry is how long after its expiry a token is replaced that cannot be renewed early. An endpoint that gives the remaining life in whole
	// seconds means up to one second more.
	AfterExpiry = time.Second
	// earlyTry makes every tenth token of an endpoint that repeats tokens be renewed early nevertheless: it may have changed its ways.
	earlyTry = 10
	// MaxRepeats is how often an endpoint may repeat an expired token before that is a failure.
	MaxRepeats = 3
	// SettlingTokens is how long an API may refuse a token that has invalidated the one before: not all of its nodes know of it yet.
	SettlingTokens = 2 * time.Minute
)

// issuanceMode says what the endpoint does when it is asked for a new token: section 4 of the contract. Empty: unknown.
func issuanceMode(s *State) v1alpha1.IssuanceMode {
	current := s.Current.Persisted
	switch {
	case !s.Desired.Flow.Exchanges() || current == nil || current.ExpiresAt.IsZero():
		return ""
	case oneActive(&s.Object.Spec):
		return v1alpha1.IssuanceModeOneActive
	case s.Repeated || current.SameCount > 0:
		return v1alpha1.IssuanceModeSameUntilExpiry
	}
	return v1alpha1.IssuanceModeFresh
}

func oneActive(spec *v1alpha1.CDPCredentialSpec) bool {
	return spec.Refresh != nil && spec.Refresh.Issuance == v1alpha1.IssuanceOneActive
}

// EndsOldToken reports whether a new token invalidates the one before, so that pods cannot wait.
func EndsOldToken(s *State) bool { return oneActive(&s.Object.Spec) }

// waitsForExpiry reports whether the endpoint repeats the current token until it expires, so that asking earlier is pointless.
func waitsForExpiry(s *State) bool {
	count := s.Current.Persisted.SameCount
	expected := count > 0 && count%earlyTry != 0 && !oneActive(&s.Object.Spec)
	return s.Repeated || expected
}

// renewalTime returns when the current token is to be replaced. Zero: never.
func renewalTime(s *State) time.Time {
	life, before := s.Current.Persisted.life(), refreshBefore(&s.Object.Spec)
	switch {
	case life.ExpiresAt.IsZero():
		return time.Time{}
	case waitsForExpiry(s):
		return life.ExpiresAt.Add(AfterExpiry)
	case oneActive(&s.Object.Spec) && podsArePrompt(s):
		return life.RenewLate(before, promptOneActiveLead)
	case oneActive(&s.Object.Spec):
		return life.RenewLate(before, oneActiveLead)
	case podsArePrompt(s):
		return life.RenewAtPrompt(before, string(s.Object.UID))
	}
	return life.RenewAt(before, string(s.Object.UID))
}

func refreshBefore(spec *v1alpha1.CDPCredentialSpec) time.Duration {
	if spec.Refresh == nil {
		return 0
	}
	return durationOr(spec.Refresh.Before, 0)
}

// repeatedBefore reports whether status says that the endpoint repeated the current token when that was to be renewed.
func repeatedBefore(s *State) bool {
	until, current := s.Object.Status.RepeatedUntil, s.Current.Persisted
	return until != nil && current != nil && until.Sub(current.ExpiresAt).Abs() < ClockNoise
}

// isCurrentToken reports whether the endpoint has answered with the current token.
func isCurrentToken(s *State, got exchange.Token) bool {
	current := s.Current.Persisted
	ours := s.Current.HasToken() && s.Current.Owner() == s.Object.Name
	return ours && !current.ExpiresAt.IsZero() && current.TokenMACOf([]byte(got.Value)) == current.TokenMAC
}

// endsLater reports whether the endpoint has extended the current token. It is then published like a new one.
func endsLater(s *State, got exchange.Token) bool {
	return got.Life.ExpiresAt.After(s.Current.Persisted.ExpiresAt.Add(ClockNoise))
}

// sameOf counts the tokens in a row, with this one, from an endpoint that repeats each until it expires. Zero: it does not, or that is unknown.
func sameOf(s *State, why Cause, got exchange.Token) int {
	current := s.Current.Persisted
	switch {
	case current == nil || current.SpecHash != s.Desired.SpecHash || issuanceMode(s) != v1alpha1.IssuanceModeSameUntilExpiry:
		return 0
	case isCurrentToken(s, got):
		return max(current.SameCount, 1)
	case why == CauseRenewal && got.Life.IssuedAt.Before(current.ExpiresAt):
		return 0 // a new one was available early
	}
	return current.SameCount + 1
}

// endedToken reports whether the endpoint has answered with an expired token, though the current one expired only just now.
func endedToken(s *State, why Cause, err error) bool {
	renewal := why == CauseRenewal && s.Current.HasToken() && waitsForExpiry(s)
	return renewal && errors.Is(err, token.ErrExpired) && s.Now.Sub(s.Current.Persisted.ExpiresAt) < 2*MinIssueInterval
}

// notSettled reports whether the target's token has just invalidated the one before, so that not every node of the API may know it.
func notSettled(s *State) bool {
	return oneActive(&s.Object.Spec) && s.Now.Before(s.Target.Persisted.IssuedAt.Add(SettlingTokens))
}
