// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/flow"
)

// Values are the values of a client Secret by the Fields of the flow's keys. A missing value is empty. They print as REDACTED.
type Values map[string]Secret

// Request is the input of one exchange.
type Request struct {
	Flow   flow.Flow
	Values Values
	// Namespace is that of the client: namespaces take turns at opening private keys. It is not part of the fingerprint.
	Namespace string
	// Issue distinguishes successive versions of a client Secret that the operator itself writes. It is not sent, but part of the fingerprint: each
	// version counts as new values, even if they are the same.
	Issue string
	// ClockOffset is the endpoint's clock minus ours; zero if it is not known. It corrects the times in an assertion. It does not affect which token
	// is issued, so it is not part of the fingerprint.
	ClockOffset time.Duration
	// CurrentToken is the token to change by the flow's Update. Empty: a new token is requested.
	CurrentToken Secret
}

// ClientID returns the value that identifies the client, or empty.
func (r Request) ClientID() Secret { return r.Values[r.Flow.ClientIDKey()] }

// Fingerprint returns flow.Flow.Fingerprint of the request. Namespace, ClockOffset and CurrentToken are not part of it.
func (r Request) Fingerprint(salt []byte) string {
	return r.Flow.Fingerprint(salt, r.Values.texts(), r.Issue)
}

// FingerprintWithoutUpdatable returns flow.Flow.FingerprintWithoutUpdatable of the request. Empty: the flow has no Update.
func (r Request) FingerprintWithoutUpdatable(salt []byte) string {
	return r.Flow.FingerprintWithoutUpdatable(salt, r.Values.texts(), r.Issue)
}

// step is the one to carry out.
func (r Request) step() *flow.Step {
	if r.CurrentToken != "" {
		return r.Flow.Update
	}
	return r.Flow.Issue
}

// APIHeaders returns all headers that a call of the vendor's API needs, including the one that carries the token. tokenType is that of the
// Token; empty means Bearer.
func (r Request) APIHeaders(token Secret, tokenType string) map[string]string {
	headers := map[string]string{}
	for _, header := range r.Flow.APIHeaders {
		headers[header.Name] = r.Values.text(header.Source)
	}
	if r.Flow.TokenHeader == "" {
		if tokenType == "" {
			tokenType = "Bearer"
		}
		token = Secret(tokenType+" ") + token
	}
	headers[r.Flow.CarrierHeader()] = string(token)
	return headers
}

// Format implements fmt.Formatter: a request shows the kind of its flow and nothing else.
func (r Request) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.shown()) }

// MarshalJSON implements json.Marshaler, like Format.
func (r Request) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue implements slog.LogValuer, like Format.
func (r Request) LogValue() slog.Value { return slog.StringValue(r.shown()) }

func (r Request) shown() string {
	return "exchange.Request{" + r.Flow.Kind + " " + redacted + "}"
}

// Format implements fmt.Formatter.
func (v Values) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalJSON implements json.Marshaler.
func (v Values) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue implements slog.LogValuer.
func (v Values) LogValue() slog.Value { return slog.StringValue(redacted) }

// text returns the value of a source.
func (v Values) text(s flow.Source) string { return s.Value + string(v[s.Key]) }

func (v Values) texts() map[string]string {
	texts := make(map[string]string, len(v))
	for field, value := range v {
		texts[field] = string(value)
	}
	return texts
}
