// SPDX-License-Identifier: Apache-2.0

package flow

import "time"

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
