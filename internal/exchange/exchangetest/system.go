// SPDX-License-Identifier: Apache-2.0

package exchangetest

// System is a vendor, or a family of servers that behave alike. Each listens on an address of its own.
type System string

// The systems.
const (
	Adobe      System = "adobe"
	Algonomy   System = "algonomy"
	Apsis      System = "apsis"
	Auth0      System = "auth0"
	Basic      System = "basic"
	Experiture System = "experiture"
	OAuth2     System = "oauth2"
)

// The headers of Algonomy's APIs, underscores and all.
const (
	headerTenantHash     = "tenant_hash"
	headerOAuthKeySecret = "oauth_key_secret"
	headerAccessToken    = "access_token"
)

// The paths of the endpoints below Server.URL. Those of Adobe, APSIS One, Algonomy and Auth0 are the vendors'; Experiture shows its own in a
// console, and RFC 6749 prescribes none.
const (
	AdobeTokenPath            = "/ims/token/v3"
	AdobeExchangePath         = "/ims/exchange/jwt"
	AlgonomyProfileCreatePath = "/secureApi/token/profile/create"
	AlgonomyProfileUpdatePath = "/secureApi/token/profile/update"
	AlgonomyGDPRCreatePath    = "/secureApi/token/gdpr/create"
	AlgonomyGDPRUpdatePath    = "/secureApi/token/gdpr/update"
	ApsisTokenPath            = "/oauth/token"
	Auth0TokenPath            = "/oauth/token"
	ExperitureTokenPath       = "/public/oauth/token"
	OAuth2TokenPath           = "/oauth2/token"
	// APIPath is an API of every system, to GET with a token. A query `scope=S` makes it want a token of scope S.
	APIPath = "/api"
)
