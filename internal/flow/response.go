// SPDX-License-Identifier: Apache-2.0

package flow

import "time"

// Response is how an answer is read. In a path a dot descends into an object.
type Response struct {
	// Envelope is the object in which the whole answer may be. Empty: it never is.
	Envelope string
	// TokenField is the path of the token.
	TokenField string
	// ExpiresInField is the path of the lifetime, in ExpiresInUnit. Empty: the answer says none.
	ExpiresInField string
	ExpiresInUnit  Unit
	// ScopeSeparators are the characters between the scopes that were granted. Empty: a space.
	ScopeSeparators string
	// ClaimsOnly says that the claims of a JWT count alone, and the lifetime only where it has none.
	ClaimsOnly bool
	// Lifetime is what was asked for, and what counts where the answer says nothing. Zero: none was asked for.
	Lifetime time.Duration
	// DefaultLifetime is the lifetime of a token for which none is stated. Zero: such a token is refused.
	DefaultLifetime time.Duration
	// Remarks say more of certain failures.
	Remarks []Remark
}

// rfc6749 reads the answer of RFC 6749 section 5.1.
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

// Remark is what is known of a failure with an HTTP status and an error code.
type Remark struct {
	Status       int
	Code, Detail string
}
