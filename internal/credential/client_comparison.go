// SPDX-License-Identifier: Apache-2.0

package credential

import "github.com/cdpcredentials/cdp-credential-operator/internal/exchange"

// A ClientComparison is what was found when the client Secret was last read.
type ClientComparison struct {
	// Version and Asked are those of the client Secret and of the desired flow.
	Version, Asked string
	// Request is the fingerprint of what they come to, under the process's own salt. Empty: the Secret lacks a value.
	Request string
	// Against is the fingerprint in the target that it was compared with.
	Against    string
	Difference Difference
	// Attempt is Request at the last failed attempt.
	Attempt string
}

// ClientLags reports whether the cache is behind the client Secret that the last attempt was made with: what it shows is no change.
func ClientLags(s *State) bool {
	last := s.Object.Status.LastAttempt
	return last != nil && last.Asked == s.Desired.SpecHash && Lags(true, s.Client.Version, last.ClientSecretVersion)
}

// Comparisons are those of the client Secret's values that a state calls for.
type Comparisons struct {
	// WithToken is with those that the current token was issued for, WithAttempt with those of the last failed attempt.
	WithToken, WithAttempt bool
}

// Any reports whether there is something to compare.
func (c Comparisons) Any() bool { return c.WithToken || c.WithAttempt }

// ComparisonsOf returns the comparisons that a state calls for, since a version is another one. A difference that the spec makes, whatever the values
// are, it takes down: an exchange only where the values differ would tell whether two Secrets hold the same.
func ComparisonsOf(s *State, seen *ClientComparison) Comparisons {
	var c Comparisons
	if rec := s.Current.Persisted; rec != nil && s.Current.HasToken() {
		c.WithToken = rec.SpecHash != s.Desired.SpecHash || rec.ClientVersion != s.Client.Version
		if c.WithToken && SpecDifference(rec, &s.Desired) == Different {
			s.Difference, c.WithToken = Different, false
		}
	}
	if last := s.Object.Status.LastAttempt; last != nil && seen.Attempt != "" {
		c.WithAttempt = last.Generation == s.Object.Generation && last.ClientSecretVersion != s.Client.Version
	}
	return c
}

// Tell takes the outcome down in the state.
func (seen *ClientComparison) Tell(s *State, compared Comparisons) {
	if compared.WithToken {
		s.Difference = seen.Difference
	}
	s.AttemptUnchanged = compared.WithAttempt && seen.Request == seen.Attempt
}

// IsOf reports whether what was seen last is of what there is now.
func (seen *ClientComparison) IsOf(s *State, compared bool) bool {
	return seen.Version == s.Client.Version && seen.Asked == s.Desired.SpecHash && (!compared || seen.Against == s.Current.Persisted.RequestHash)
}

// Compare notes what the client Secret, as it was just read, comes to.
func (seen *ClientComparison) Compare(s *State, withRecord bool) {
	*seen = ClientComparison{Version: s.Client.Version, Asked: s.Desired.SpecHash, Attempt: seen.Attempt, Difference: Different}
	if withRecord {
		seen.Against = s.Current.Persisted.RequestHash
	}
	req, err := s.Desired.Request(s.Client.Content)
	if err != nil {
		return // a value is missing, which the attempt will report
	}
	seen.Request = AttemptFingerprint(s, req)
	if withRecord {
		seen.Difference = CompareRequests(s.Current.Persisted, req)
	}
}

// Attempted notes what a failed attempt was made with, so that a change of mere metadata is not taken for a reason to try again.
func (seen *ClientComparison) Attempted(s *State) {
	seen.Version, seen.Asked, seen.Against, seen.Request = s.Client.Version, s.Desired.SpecHash, "", ""
	if s.Client.Content != nil {
		if req, err := s.Desired.Request(s.Client.Content); err == nil {
			seen.Request = AttemptFingerprint(s, req)
		}
	}
	seen.Attempt = seen.Request
}

// AttemptFingerprint is of all that an attempt depends on: what is sent, and the CA that the endpoint is checked against.
func AttemptFingerprint(s *State, req exchange.Request) string {
	return Fingerprint(s.Salt, []byte(req.Fingerprint(s.Salt)), s.Roots(s.Desired.Endpoint))
}
