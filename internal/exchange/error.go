// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Kind classifies a failure by who can fix it.
type Kind int

// The kinds.
const (
	// Unavailable: the operator of the endpoint or of the network. 5xx, 3xx, other 4xx, timeout, reset, DNS, TLS.
	Unavailable Kind = iota
	// Rejected: the user, at the vendor, in the client Secret or in the object. 400, 401 and 403.
	Rejected
	// Throttled: nobody; it passes. 429.
	Throttled
	// Malformed: the operator of the endpoint. A 2xx without a usable token: missing, expired, with an absurd lifetime, or unsafe in a header.
	Malformed
	// InvalidKey: the author of the client Secret. The value of Field cannot be used. Nothing was sent.
	InvalidKey
	// InvalidRequest: the author of the object. The request cannot be sent as specified. Nothing was sent.
	InvalidRequest
	// Unsupported: an upgrade of the operator. This version does not support the provider. Nothing was sent.
	Unsupported
)

// Error is a failed exchange. Its text is safe to show to users: all that it takes from the endpoint's answer is the HTTP status and a known error
// code. It wraps its cause for errors.As; the cause's text is not safe to show.
type Error struct {
	Kind Kind
	// Status is the HTTP status. Zero: there was no answer.
	Status int
	// Code is the error code (RFC 6749 section 5.2), if it is registered or documented by the vendor. Empty: none, or UnregisteredCode.
	Code string
	// UnregisteredCode means that the answer had another code, which is not shown since it could be anything.
	UnregisteredCode bool
	// CorrelationID is for the vendor's support: at most 64 safe characters. It differs between attempts, so it is not part of the text.
	CorrelationID string
	// Detail is what went wrong, in fixed words of ours: never text from the endpoint.
	Detail string
	// Field is the subject of an InvalidKey or InvalidRequest. InvalidKey: a Field of the flow's keys. InvalidRequest: url, clientAuth, headers or
	// parameters, the latter two followed by a dot and the name.
	Field string
	// RetryAfter is the answer's Retry-After or the vendor's equivalent, at most 24 h. HasRetryAfter distinguishes zero from none.
	RetryAfter    time.Duration
	HasRetryAfter bool
	// Issued means that the answer had a token, though an unusable one: a vendor that counts tokens has counted it.
	Issued bool
	// HTML means that the answer was a web page, as from a URL that is not a token endpoint.
	HTML bool
	// Untrusted means that the endpoint's certificate comes from an unknown authority. Nothing was sent.
	Untrusted bool
	// Skew is the endpoint's clock minus ours, from the answer's Date header, in whole seconds. Zero also if it had none.
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

// Format implements fmt.Formatter: every verb prints the error's text, never that of its cause.
func (e *Error) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.Error()) }

// MarshalJSON implements json.Marshaler, like Format.
func (e *Error) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

func invalidRequest(field, detail string) *Error {
	return &Error{Kind: InvalidRequest, Field: field, Detail: detail}
}

func invalidKey(field, detail string) *Error {
	return &Error{Kind: InvalidKey, Field: field, Detail: detail}
}

func unusableURL() *Error { return invalidRequest("url", "cannot be requested") }
