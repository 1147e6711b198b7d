// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// Token is what an endpoint handed out.
type Token struct {
	// Value is safe in an HTTP header: visible ASCII without spaces (RFC 6750 section 2.1 is narrower; vendors are not).
	Value Secret
	// Type is the answer's token_type, Bearer if it had none.
	Type string
	// Granted are the scopes in the answer (RFC 6749 section 5.1). Nil: none, so the requested ones were granted.
	Granted []string
	// Life is zero for credentials that never expire, and after an update, which does not change the lifetime.
	Life token.Life
}

// Format implements fmt.Formatter: a token is never printed.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "exchange.Token{"+redacted+"}") }

// MarshalJSON implements json.Marshaler, like Format.
func (t Token) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue implements slog.LogValuer, like Format.
func (t Token) LogValue() slog.Value { return slog.StringValue(redacted) }
