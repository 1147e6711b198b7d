// SPDX-License-Identifier: Apache-2.0

package flow

import "time"

// Response describes how to read an answer. A dot in a path descends into an object.
type Response struct {
	// Envelope is the object that may wrap the answer. Empty: none does.
	Envelope string
	// TokenField is the path of the token.
	TokenField string
	// ExpiresInField is the path of the lifetime, in ExpiresInUnit. Empty: the answer has none.
	ExpiresInField string
	ExpiresInUnit  Unit
	// ScopeSeparators are the characters that separate granted scopes. Empty: a space.
	ScopeSeparators string
	// ClaimsOnly ignores the answer's lifetime unless the token is opaque or has no expiry of its own.
	ClaimsOnly bool
	// Lifetime is the requested lifetime, used if the answer has none. Zero: none was requested.
	Lifetime time.Duration
	// DefaultLifetime is used if the lifetime is not known at all. Zero: such a token is refused.
	DefaultLifetime time.Duration
	// Remarks replace the detail of certain failures.
	Remarks []Remark
}

// rfc6749 is the response of RFC 6749 section 5.1.
func rfc6749() Response {
	return Response{TokenField: "access_token", ExpiresInField: "expires_in", ExpiresInUnit: Seconds, ScopeSeparators: " "}
}

// Unit is the unit of a lifetime in an answer.
type Unit string

// The units. The empty Unit means seconds.
const (
	Seconds      Unit = "Seconds"
	Milliseconds Unit = "Milliseconds"
	Minutes      Unit = "Minutes"
)

// Remark explains a failure with an HTTP status and an error code.
type Remark struct {
	Status       int
	Code, Detail string
}
