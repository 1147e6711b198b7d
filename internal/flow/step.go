// SPDX-License-Identifier: Apache-2.0

package flow

import "time"

// Step is one HTTP request and how its answer is read.
type Step struct {
	URL string
	// Encoding of the body. Empty: Form.
	Encoding Encoding
	// ClientAuth is how the client authenticates. Empty: by Parameters or Headers.
	ClientAuth ClientAuth
	// Assertion is the JWT of PrivateKeyJWT, which requires one.
	Assertion *JWT
	// GrantType is the parameter grant_type. Empty: not sent, as this is not OAuth.
	GrantType string
	// Scopes are sent as one parameter, joined by ScopeSeparator (empty: a space). Audience is sent as audience, Resources as resource (RFC 8707).
	// Empty ones are not sent.
	Scopes         []string
	ScopeSeparator string
	Audience       string
	Resources      []string
	// Parameters are additional members of the body.
	Parameters []Parameter
	Headers    []Header
	Response   Response
}

// Encoding is the format of a request body.
type Encoding string

// RFC 6749 defines only Form; several vendors take JSON.
const (
	Form Encoding = "Form"
	JSON Encoding = "JSON"
)

// ClientAuth is how a client authenticates at a token endpoint.
type ClientAuth string

// The methods of RFC 6749 section 2.3.1 and RFC 7523 section 2.2. ClientSecretBasicRaw is ClientSecretBasic without the form-encoding of ID and
// secret that the RFC requires: many servers accept only one of the two.
const (
	ClientSecretBasic    ClientAuth = "ClientSecretBasic"
	ClientSecretBasicRaw ClientAuth = "ClientSecretBasicRaw"
	ClientSecretPost     ClientAuth = "ClientSecretPost"
	PrivateKeyJWT        ClientAuth = "PrivateKeyJWT"
)

const clientCredentials = "client_credentials"

// Source is where one value comes from.
type Source struct {
	// Value is a literal, Key the Field of a key of the client Secret. If both are set, the literal comes first. If only Key is set and the
	// Secret's value is empty, the parameter or header is omitted.
	Value, Key string
}

// Parameter is one member of a body. Exactly one of Source, List, JWT and CurrentToken sets its value.
type Parameter struct {
	Name string
	Source
	// Number makes Value a JSON number.
	Number bool
	// List is a list in JSON, even if empty, and a repeated parameter in a form.
	List []string
	// JWT is an assertion, signed with the private key of the client Secret.
	JWT *JWT
	// CurrentToken stands for the token that is being updated.
	CurrentToken bool
}

// Header is one header of a request.
type Header struct {
	Name string
	Source
	// Exact sends the name exactly as spelled here, for servers that are case-sensitive.
	Exact bool
}

// JWT is an assertion, signed with the client Secret's private key. Each one has a new jti.
type JWT struct {
	// Algorithm is the one that the key must support. Empty: RS256 for an RSA key, ES256 for a P-256 key.
	Algorithm                 string
	Issuer, Subject, Audience Source
	// Lifetime is exp minus iat. The iat is a few seconds in the past, for servers whose clock is behind ours.
	Lifetime time.Duration
	// Claims are additional claims.
	Claims map[string]any
}

// RS256 is RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3).
const RS256 = "RS256"
