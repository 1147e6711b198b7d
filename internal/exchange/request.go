// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/flow"
)

// Values are the values of a client Secret by the Fields of the flow's keys. What is missing is empty.
type Values map[string]Secret

// Request is all that one exchange needs: equal requests would be answered alike.
type Request struct {
	Flow   flow.Flow
	Values Values
	// Namespace is whose request it is: private keys are opened in turns. It is no part of the fingerprint.
	Namespace string
	// Issue tells one writing of a client Secret that the operator itself wrote from the next. It is not sent: with it what was read from such a Secret
	// counts as other values after each, whether or not it is.
	Issue string
	// ClockOffset is the endpoint's clock minus ours, as far as it is known: the times in an assertion are on the endpoint's clock. It is
	// about how a token is got and not which, and so is no part of the fingerprint.
	ClockOffset time.Duration
	// HeldToken is the token that the flow's Update is to change, instead of getting a new one. Empty: a new token.
	HeldToken Secret
}

// ClientID is who the client is, or empty.
func (r Request) ClientID() Secret { return r.Values[r.Flow.ClientIDKey()] }

// Fingerprint is that of the flow with the request's values. Namespace, ClockOffset and HeldToken are no part of it.
func (r Request) Fingerprint(salt []byte) string {
	return r.Flow.Fingerprint(salt, r.Values.texts(), r.Issue)
}

// FingerprintWithoutUpdatable is the same without what an update changes. Empty: the flow has no update.
func (r Request) FingerprintWithoutUpdatable(salt []byte) string {
	return r.Flow.FingerprintWithoutUpdatable(salt, r.Values.texts(), r.Issue)
}

// step is the one that is to be carried out.
func (r Request) step() *flow.Step {
	if r.HeldToken != "" {
		return r.Flow.Update
	}
	return r.Flow.Issue
}

// APIHeaders are all the headers that a call of the vendor's API needs, the one that carries the token included. tokenType is that of the
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

// Format implements fmt.Formatter: a request shows whose flow it is and nothing else.
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

// text is what a source comes to.
func (v Values) text(s flow.Source) string { return s.Value + string(v[s.Key]) }

func (v Values) texts() map[string]string {
	texts := make(map[string]string, len(v))
	for field, value := range v {
		texts[field] = string(value)
	}
	return texts
}
