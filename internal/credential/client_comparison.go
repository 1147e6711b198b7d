// SPDX-License-Identifier: Apache-2.0

package credential

import "github.com/cdpcredentials/cdp-credential-operator/internal/exchange"

// A ClientComparison is what was found when the client Secret was last read. It holds while neither the Secret nor the desired flow changes.
type ClientComparison struct {
	// Version is that of the client Secret, SpecHash that of the desired flow.
	Version, SpecHash string
	// Request is the fingerprint of the request they make, under this process's salt. Empty: the Secret lacks a value.
	Request string
	// Against is the hash of the request that the current token came from, and Difference what differs.
	Against    string
	Difference Difference
	// Attempt is the fingerprint of the last failed attempt.
	Attempt string
}

// ClientLags reports whether the cache shows the client Secret as it was before the last attempt. Then it shows no change.
func ClientLags(s *State) bool {
	last := s.Object.Status.LastAttempt
	return last != nil && last.Asked == s.Desired.SpecHash && Lags(true, s.Client.Version, last.ClientSecretVersion)
}

// Comparisons says which requests the next one has to be compared with, values included.
type Comparisons struct {
	// WithToken: the one that the current token came from. WithAttempt: that of the last failed attempt.
	WithToken, WithAttempt bool
}

// Any reports whether there is something to compare.
func (c Comparisons) Any() bool { return c.WithToken || c.WithAttempt }

// ComparisonsOf returns the comparisons that a state calls for because a version has changed. If the spec alone makes a difference, it says so in the
// state, whatever the values are: an exchange only if the values differ would reveal whether two Secrets hold the same.
func ComparisonsOf(s *State, seen *ClientComparison) Comparisons {
	var c Comparisons
	if current := s.Current.Persisted; current != nil && s.Current.HasToken() {
		c.WithToken = current.SpecHash != s.Desired.SpecHash || current.ClientVersion != s.Client.Version
		if c.WithToken && SpecDifference(current, &s.Desired) == Different {
			s.Difference, c.WithToken = Different, false
		}
	}
	if last := s.Object.Status.LastAttempt; last != nil && seen.Attempt != "" {
		c.WithAttempt = last.Generation == s.Object.Generation && last.ClientSecretVersion != s.Client.Version
	}
	return c
}

// IsOf reports whether the client Secret need not be read again for a comparison.
func (seen *ClientComparison) IsOf(s *State, withToken bool) bool {
	sameRequest := seen.Version == s.Client.Version && seen.SpecHash == s.Desired.SpecHash
	return sameRequest && (!withToken || seen.Against == s.Current.Persisted.RequestHash)
}

// Compare compares the request with the values of the client Secret, which was just read.
func (seen *ClientComparison) Compare(s *State, withToken bool) {
	*seen = ClientComparison{Version: s.Client.Version, SpecHash: s.Desired.SpecHash, Attempt: seen.Attempt, Difference: Different}
	if withToken {
		seen.Against = s.Current.Persisted.RequestHash
	}
	req, err := s.Desired.Request(s.Client.Content)
	if err != nil {
		return // a value is missing, which the attempt will report
	}
	seen.Request = attemptFingerprint(s, req)
	if withToken {
		seen.Difference = compareRequests(s.Current.Persisted, req)
	}
}

// Apply puts what was found into the state.
func (seen *ClientComparison) Apply(s *State, compared Comparisons) {
	if compared.WithToken {
		s.Difference = seen.Difference
	}
	s.AttemptUnchanged = compared.WithAttempt && seen.Request == seen.Attempt
}

// Attempted remembers what a failed attempt was made with, so that a mere change of the Secret's metadata is no reason to try again.
func (seen *ClientComparison) Attempted(s *State) {
	seen.Version, seen.SpecHash, seen.Against, seen.Request = s.Client.Version, s.Desired.SpecHash, "", ""
	if s.Client.Content != nil {
		if req, err := s.Desired.Request(s.Client.Content); err == nil {
			seen.Request = attemptFingerprint(s, req)
		}
	}
	seen.Attempt = seen.Request
}

// attemptFingerprint covers all that an attempt depends on: what is sent, and the CA that the endpoint is checked against.
func attemptFingerprint(s *State, req exchange.Request) string {
	return fingerprint(s.Salt, []byte(req.Fingerprint(s.Salt)), s.Roots(s.Desired.Endpoint))
}
