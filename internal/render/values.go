// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"log/slog"
)

// Values is what templates see, under the names .token, .tokenType, .expiresAt, .clientID, .scopes and .headers. It prints
// as REDACTED, whatever prints it.
type Values struct {
	Token     string
	TokenType string
	ExpiresAt string // RFC 3339
	ClientID  string
	Scopes    []string
	// Headers are all the headers that a call of the vendor's API needs, the one that carries the token included. A template
	// that reads a missing one gets an empty string.
	Headers map[string]string
}

func (v Values) top() map[string]any {
	if v.Scopes == nil {
		v.Scopes = []string{} // a list in JSON, too
	}
	return map[string]any{
		"token": v.Token, "tokenType": v.TokenType, "expiresAt": v.ExpiresAt, "clientID": v.ClientID, "scopes": v.Scopes, "headers": v.Headers,
	}
}

const redacted = "REDACTED"

// Format implements fmt.Formatter for all verbs.
func (Values) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue implements slog.LogValuer.
func (Values) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON implements json.Marshaler.
func (Values) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
