// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
)

// shared is how many characters in a row a shown text and a secret may not have in common.
const shared = 8

// maxEncoded is up to what length a secret is also looked for in other encodings: an endpoint may choose its token, and with it how long
// we look.
const maxEncoded = 4 << 10

// secrets are the values that were sent to an endpoint, or came from it as a token. Correlation ids and scopes that repeat one are not shown. It
// is a courtesy to users of clumsy servers and no defence: an endpoint that wants to tell a secret can spell it in any way. Nothing that the
// endpoint was not sent is compared, since that would tell the endpoint about it.
type secrets []string

// and adds a secret in the ways in which it may be written. It leaves s alone.
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

// andClient adds a client's secret, also in the two ways in which HTTP Basic authentication writes it.
func (s secrets) andClient(id, secret Secret) secrets {
	if secret == "" {
		return s
	}
	return append(s.and(string(secret)), basicCredentials(id, secret), formEncodedCredentials(id, secret))
}

// echoed reports whether text could give away part of a secret: a short one as a whole, or any eight characters in a row of a longer one.
func (s secrets) echoed(text string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(s, func(secret string) bool {
		secret = strings.ToLower(secret)
		if len(secret) < shared {
			return strings.Contains(text, secret)
		}
		for i := range len(text) - shared + 1 {
			if strings.Contains(secret, text[i:i+shared]) {
				return true
			}
		}
		return false
	})
}
