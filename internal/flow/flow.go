// SPDX-License-Identifier: Apache-2.0

// Package flow describes how a token is got, as a value: what is sent where, which values of the client Secret that takes, and how the answer is
// read. Each typed provider has one file that makes a Flow of its API type. Nothing here sends anything.
package flow

import (
	"cmp"
	"time"
)

// Flow is how a token is got. Whoever needs to know what a provider can or needs asks the Flow, never for the provider's name. The zero Flow gets
// no token.
type Flow struct {
	// Provider is the member of spec.provider, as status, metrics and messages name it.
	Provider string
	// Kind is part of the fingerprint: it tells the flows of one provider apart.
	Kind string
	// Address is the endpoint's address as the user gave it or the vendor has it. Empty: nothing is exchanged.
	Address string
	// AddressField is the field of the spec that says so.
	AddressField string
	// Hosts are the vendor's own hosts, to which a client Secret may go without saying so.
	Hosts []string
	// Keys are the values that the flow needs of the client Secret, in the order in which a missing one is reported.
	Keys []Key

	// Issue gets a new token. Nil: nothing is exchanged.
	Issue *Step
	// Update changes a token that is in use, if only Settings that are Updatable have changed. Nil: there is no such thing.
	Update *Step
	// Static is the token where nothing is exchanged. It never expires.
	Static *BasicCredentials

	// APIHeaders are the headers that a call of the vendor's API needs beside the one that carries the token.
	APIHeaders []Header
	// TokenHeader is the header that carries the bare token. Empty: Authorization, with the token's type before it.
	TokenHeader string

	// Deprecated says why the vendor no longer wants this flow, and what to use instead. Empty: it is not deprecated.
	Deprecated string
	Advice     Advice

	// Settings are what the fingerprint covers beside Kind, Address and the values of the client Secret. Of fills in all that the user says for a
	// provider that leaves them out; one with an Update needs them, to say which of them that changes.
	Settings []Setting
}

// Exchanges reports whether an endpoint is asked for a token. So does the zero Flow, of a provider that this version does not know: what its object
// holds is a token all the same, unless it holds BasicCredentials.
func (f *Flow) Exchanges() bool { return f.Static == nil }

// Asserts reports whether the flow sends a JWT that we sign: whether it is accepted depends on the clocks of both sides.
func (f *Flow) Asserts() bool {
	if f.Issue == nil {
		return false
	}
	for _, parameter := range f.Issue.Parameters {
		if parameter.JWT != nil {
			return true
		}
	}
	return f.Issue.ClientAuth == PrivateKeyJWT
}

// Scopes are those that are asked for.
func (f *Flow) Scopes() []string {
	if f.Issue == nil {
		return nil
	}
	return f.Issue.Scopes
}

// ClientIDKey is the Field of the key that says who the client is.
func (f *Flow) ClientIDKey() string {
	if f.Static != nil {
		return f.Static.Username
	}
	return clientID.Field
}

// CarrierHeader names the header that carries the token.
func (f *Flow) CarrierHeader() string { return cmp.Or(f.TokenHeader, "Authorization") }

// Step is one HTTP request and how its answer is read.
type Step struct {
	URL string
	// Encoding is that of the body. Empty: Form.
	Encoding Encoding
	// ClientAuth is how the client authenticates. Empty: Parameters or Headers do it.
	ClientAuth ClientAuth
	// Assertion is what PrivateKeyJWT sends.
	Assertion *JWT
	// GrantType is the parameter grant_type. Empty: it is left out, and this is no OAuth.
	GrantType string
	// Scopes are sent as one parameter, joined by ScopeSeparator (empty: a space), Audience and Resources (RFC 8707) as audience and resource.
	// Empty ones are not sent.
	Scopes         []string
	ScopeSeparator string
	Audience       string
	Resources      []string
	// Parameters are further members of the body.
	Parameters []Parameter
	Headers    []Header
	Response   Response
}

// Encoding is how a body is written.
type Encoding string

// RFC 6749 knows only Form; several vendors take JSON.
const (
	Form Encoding = "Form"
	JSON Encoding = "JSON"
)

// ClientAuth is how a client authenticates at a token endpoint.
type ClientAuth string

// The methods of RFC 6749 section 2.3.1 and RFC 7523 section 2.2. ClientSecretBasicRaw is ClientSecretBasic without the form-encoding of ID and
// secret that the RFC asks for: many servers accept only one of the two.
const (
	ClientSecretBasic    ClientAuth = "ClientSecretBasic"
	ClientSecretBasicRaw ClientAuth = "ClientSecretBasicRaw"
	ClientSecretPost     ClientAuth = "ClientSecretPost"
	PrivateKeyJWT        ClientAuth = "PrivateKeyJWT"
)

const clientCredentials = "client_credentials"

// Source is where one value comes from.
type Source struct {
	// Value is a literal, and Key the Field of a key of the client Secret. With both the Secret's value follows the literal. A Key without a
	// literal whose value is empty (it is optional) leaves its parameter or header out.
	Value, Key string
}

// Parameter is one member of a body. Exactly one of Source, List, JWT and HeldToken says what it is.
type Parameter struct {
	Name string
	Source
	// Number says that Value is to be a number in JSON.
	Number bool
	// List is a list in JSON, also if it is empty, and a repeated parameter in a form.
	List []string
	// JWT is signed by the private key of the client Secret.
	JWT *JWT
	// HeldToken is the token that is to be updated.
	HeldToken bool
}

// Header is one header of a request.
type Header struct {
	Name string
	Source
	// Exact says that the name is sent as it is spelled here, for servers to which its case matters.
	Exact bool
}

// JWT is an assertion that is signed by the client Secret's private key. It has a fresh jti each time.
type JWT struct {
	// Algorithm is the one that the key must be good for. Empty: RS256 or ES256, by the key.
	Algorithm                 string
	Issuer, Subject, Audience Source
	// Lifetime is how long it is good for, from its iat: that is a few seconds in the past, for servers whose clock is behind ours.
	Lifetime time.Duration
	// Claims are further ones.
	Claims map[string]any
}

// RS256 is RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3).
const RS256 = "RS256"

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

// BasicCredentials are two values of the client Secret, by the Fields of their keys, as HTTP Basic credentials (RFC 7617).
type BasicCredentials struct{ Username, Password string }

// Advice is what a provider's users may do about a failure, beyond what is true for every provider. Empty: nothing more.
type Advice struct {
	// Rejected is about a 400, 401 or 403, NoExpiry about a token without a stated lifetime, AbsurdExpiry about one with an absurd lifetime.
	Rejected, NoExpiry, AbsurdExpiry string
}
