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

// IsOf reports whether what was seen last is of what there is now.
func (seen *ClientComparison) IsOf(s *State, compared bool) bool {
	return seen.Version == s.Client.Version && seen.Asked == s.Desired.SpecHash && (!compared || seen.Against == s.Current.Persisted.RequestHash)
}

// Compare notes what the client Secret, as it was just read, comes to.
func (seen *ClientComparison) Compare(s *State, withRecord bool, salt []byte) {
	*seen = ClientComparison{Version: s.Client.Version, Asked: s.Desired.SpecHash, Attempt: seen.Attempt, Difference: Different}
	if withRecord {
		seen.Against = s.Current.Persisted.RequestHash
	}
	req, err := s.Desired.Request(s.Client.Content)
	if err != nil {
		return // a value is missing, which the attempt will report
	}
	seen.Request = AttemptFingerprint(salt, s, req)
	if withRecord {
		seen.Difference = CompareRequests(s.Current.Persisted, req)
	}
}

// Attempted notes what a failed attempt was made with, so that a change of mere metadata is not taken for a reason to try again.
func (seen *ClientComparison) Attempted(s *State, salt []byte) {
	seen.Version, seen.Asked, seen.Against, seen.Request = s.Client.Version, s.Desired.SpecHash, "", ""
	if s.Client.Content != nil {
		if req, err := s.Desired.Request(s.Client.Content); err == nil {
			seen.Request = AttemptFingerprint(salt, s, req)
		}
	}
	seen.Attempt = seen.Request
}

// AttemptFingerprint is of all that an attempt depends on: what is sent, and the CA that the endpoint is checked against.
func AttemptFingerprint(salt []byte, s *State, req exchange.Request) string {
	return Fingerprint(salt, []byte(req.Fingerprint(salt)), s.Roots(s.Desired.Endpoint))
}
