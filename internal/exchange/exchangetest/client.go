// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"crypto"
	"slices"
	"time"
)

// AuthMethod is how a client of Experiture or OAuth2 must authenticate. The zero value accepts AuthBasic and AuthPost.
type AuthMethod string

// The methods of RFC 6749 section 2.3.1 and RFC 7523 section 2.2.
const (
	AuthBasic         AuthMethod = "basic"     // id and secret form-encoded, as the RFC asks
	AuthBasicRaw      AuthMethod = "basic-raw" // id and secret as they are, as many servers ask
	AuthPost          AuthMethod = "post"
	AuthPrivateKeyJWT AuthMethod = "private_key_jwt"
)

// Client is what a system knows of one of its clients. Fields that a system does not name are ignored by it.
type Client struct {
	System System
	// ID is the client id; Algonomy's tenant hash; the token id of Basic.
	ID string
	// Secret is the client secret; Algonomy's oauth_key_secret, empty for a tenant without OAuth; the token secret of Basic.
	Secret string
	// PreviousSecret is accepted beside Secret, if set: what a vendor does while secrets are rotated.
	PreviousSecret string
	// Lifetime of its tokens; zero means Behaviour.Lifetime. Algonomy's clients ask for theirs.
	Lifetime time.Duration
	// OneActive makes each new token end those before it, as WSO2 does.
	OneActive bool
	// Opaque makes its tokens random strings. Algonomy's always are.
	Opaque bool

	// Scopes it may ask for. Without a scope parameter it gets them all, but at Adobe, where the parameter is required.
	Scopes []string
	// NarrowTo, if set, are the scopes it really gets of those it asks for, without an error.
	NarrowTo []string
	// ScopeSeparator is what OAuth2 expects between scopes; empty means a space. Adobe's is a comma, Experiture's a space.
	ScopeSeparator string
	// Audiences it may ask for at Auth0 and OAuth2. At OAuth2, empty means that it must not send one.
	Audiences []string
	// Resources it may ask for: RFC 8707 indicators at OAuth2 (empty: it must not send any), names at Algonomy (empty: any).
	Resources []string
	// DailyQuota of tokens at Auth0 by UTC day; zero means no quota and no quota headers.
	DailyQuota int

	// Auth is the method that Experiture and OAuth2 accept.
	Auth AuthMethod
	// JSON makes OAuth2 expect a JSON object instead of a form.
	JSON bool
	// Parameters and Headers are what OAuth2 wants beside the usual, with exactly these values.
	Parameters, Headers map[string]string

	// PublicKey (*rsa.PublicKey, or *ecdsa.PublicKey on P-256) verifies what the client signs: the assertion of an Adobe service account,
	// or that of AuthPrivateKeyJWT. An Adobe client that has one is a service account.
	PublicKey crypto.PublicKey
	// KeyID must be the assertion's kid, if set.
	KeyID string
	// OrganizationID is wanted by Adobe in the assertion and in x-gw-ims-org-id; TechnicalAccountID is the assertion's subject, Metascopes
	// are those it may name.
	OrganizationID, TechnicalAccountID string
	Metascopes                         []string

	// Response changes the shape of good answers of OAuth2, Experiture and Apsis.
	Response Response
}

// Response is how a good answer deviates from RFC 6749 section 5.1. The zero value does not.
type Response struct {
	// TokenField and ExpiresInField are where the values stand, a dot descends into an object; empty: access_token, expires_in.
	TokenField, ExpiresInField string
	// Unit of the lifetime; zero means time.Second.
	Unit time.Duration
	// OmitExpiresIn leaves the lifetime out.
	OmitExpiresIn bool
	// ExpiresIn, if not nil, is given instead of the lifetime, whatever it is.
	ExpiresIn any
}

type clientKey struct {
	system System
	id     string
}

func (c Client) hasSecret(secret string) bool {
	return secret != "" && (secret == c.Secret || secret == c.PreviousSecret)
}

// grant returns the scopes that the client gets, and false if it asked for one that it may not have.
func (c Client) grant(asked []string) ([]string, bool) {
	for _, scope := range asked {
		if !slices.Contains(c.Scopes, scope) {
			return nil, false
		}
	}
	if len(asked) == 0 {
		asked = c.Scopes
	}
	if c.NarrowTo == nil {
		return asked, true
	}
	return slices.DeleteFunc(slices.Clone(asked), func(scope string) bool { return !slices.Contains(c.NarrowTo, scope) }), true
}
