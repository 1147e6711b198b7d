// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Kind types a failure by who can fix it.
type Kind int

// The kinds.
const (
	// Unavailable: whoever runs the endpoint or the network between. 5xx, 3xx, 4xx other than the ones below, timeout, reset, DNS, TLS.
	Unavailable Kind = iota
	// Rejected: the user, at the vendor or in the Secret or the object. 400, 401 and 403.
	Rejected
	// Throttled: time. 429.
	Throttled
	// Malformed: whoever runs the endpoint. A 2xx without a usable token: none, expired, absurd, unsafe.
	Malformed
	// InvalidKey: whoever wrote the client Secret. Field cannot be used as it is. Nothing was sent.
	InvalidKey
	// InvalidRequest: whoever wrote the object. What would be sent cannot be, or would override what must be sent. Nothing was sent.
	InvalidRequest
	// Unsupported: nobody but us. The provider is not served by this version. Nothing was sent.
	Unsupported
)

// Error is a failed exchange. Its text is safe to show to users: of the endpoint's answer it has the HTTP status, an error code from a list and
// nothing else. It wraps its cause for errors.As; a cause's own text is not safe to show.
type Error struct {
	Kind Kind
	// Status is the HTTP status. 0: there was no answer.
	Status int
	// Code is the error code of RFC 6749 section 5.2, where it is registered or the vendor documents it, or Experiture's error.code.
	Code string
	// UnregisteredCode says that the answer had another code, which is not shown: it could be anything.
	UnregisteredCode bool
	// CorrelationID is for the vendor's support, of a safe character set and at most 64 long. It differs from attempt to attempt and so is
	// not part of the text.
	CorrelationID string
	// Detail says in our own fixed words what went wrong: never a word of the endpoint's.
	Detail string
	// Field is what an InvalidKey or InvalidRequest is about. InvalidKey: privateKey, privateKeyPassphrase, clientID, tenantHash,
	// oauthKeySecret, tokenID or tokenSecret. InvalidRequest: url, headers or parameters, the latter two with a dot and the name.
	Field string
	// RetryAfter is the answer's Retry-After or a vendor's equivalent, at most 24 h. HasRetryAfter tells zero from none.
	RetryAfter    time.Duration
	HasRetryAfter bool
	// Issued says that the answer held a token, though not one that can be used: whoever counts tokens has counted it.
	Issued bool
	// HTML says that the answer was a web page, as of an address that is no token endpoint.
	HTML bool
	// Skew is the endpoint's clock minus ours by the answer's Date header, to the second. Zero also if it had none.
	Skew time.Duration
	// Cause may be nil.
	Cause error
}

// Error implements error.
func (e *Error) Error() string {
	text := e.Detail
	if e.Field != "" {
		text = e.Field + ": " + text
	}
	if e.Status != 0 {
		text = fmt.Sprintf("%s: HTTP %d", text, e.Status)
	}
	switch {
	case e.Code != "":
		text = fmt.Sprintf("%s, error %s", text, e.Code)
	case e.UnregisteredCode:
		text += ", an unregistered error code"
	}
	return text
}

// Format implements fmt.Formatter: under every verb an error shows its text, and never its cause's.
func (e *Error) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.Error()) }

// MarshalJSON implements json.Marshaler, like Format.
func (e *Error) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

func invalidRequest(field, detail string) *Error {
	return &Error{Kind: InvalidRequest, Field: field, Detail: detail}
}

func invalidKey(field, detail string) *Error {
	return &Error{Kind: InvalidKey, Field: field, Detail: detail}
}

func unusableURL() *Error { return invalidRequest("url", "no request can be made of it") }
