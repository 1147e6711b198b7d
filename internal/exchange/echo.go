// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
)

// minEcho is the length of a substring of a secret that must not be shown.
const minEcho = 8

// maxEncoded is the length up to which a secret is also searched for in other encodings. An endpoint chooses its token, and so how long the search
// takes.
const maxEncoded = 4 << 10

// secrets are the values that were sent to an endpoint, and the token that it returned. Correlation IDs and scopes that repeat one are not shown.
// This helps with careless servers and is no defence: a malicious endpoint can encode a secret in any way. Only what was sent is compared,
// since a comparison with anything else would tell the endpoint about it.
type secrets []string

// and returns s with a secret added, in its usual encodings. It does not modify s.
func (s secrets) and(secret string) secrets {
	if secret == "" {
		return s
	}
	s = append(slices.Clip(s), secret)
	if len(secret) > maxEncoded {
		return s
	}
	return append(s, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret)))
}

// andClient is and for a client's secret, including its two encodings in HTTP Basic authentication.
func (s secrets) andClient(id, secret Secret) secrets {
	if secret == "" {
		return s
	}
	return append(s.and(string(secret)), basicCredentials(id, secret), formEncodedCredentials(id, secret))
}

// echoed reports whether text contains a secret shorter than minEcho, or minEcho consecutive characters of a longer one.
func (s secrets) echoed(text string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(s, func(secret string) bool {
		secret = strings.ToLower(secret)
		if len(secret) < minEcho {
			return strings.Contains(text, secret)
		}
		for i := range len(text) - minEcho + 1 {
			if strings.Contains(secret, text[i:i+minEcho]) {
				return true
			}
		}
		return false
	})
}
