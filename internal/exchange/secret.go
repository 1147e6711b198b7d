// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "REDACTED"

// MaxSecret is the length of the longest token and of the longest value of a client Secret, in bytes. Templates count each as
// that long.
const MaxSecret = 16 << 10

// Secret is a value that must not be printed: with every verb of fmt, in JSON and in slog it shows as REDACTED. Convert it with string(s) only
// where it is sent or written to a Secret. An empty one shows as empty.
type Secret string

// Format implements fmt.Formatter, which also covers %#v and %x.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.shown()) }

// MarshalJSON implements json.Marshaler.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + s.shown() + `"`), nil }

// MarshalText implements encoding.TextMarshaler.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.shown()), nil }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.shown()) }

// shown distinguishes an empty value from a set one, which helps and reveals nothing.
func (s Secret) shown() string {
	if s == "" {
		return ""
	}
	return redacted
}
