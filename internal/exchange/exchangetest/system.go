// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"maps"
	"slices"
)

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

// endpoint judges one request: exactly one of its results is not nil.
type endpoint func(*call) (*answer, *refusal)

// endpoints are those of every system, by path.
func endpoints() map[System]map[string]endpoint {
	return map[System]map[string]endpoint{
		Adobe: {
			AdobeTokenPath:    adobeToken,
			AdobeExchangePath: adobeExchange,
			APIPath:           adobeAPI,
		},
		Algonomy: {
			AlgonomyProfileCreatePath: algonomyCreate,
			AlgonomyProfileUpdatePath: algonomyUpdate,
			AlgonomyGDPRCreatePath:    algonomyCreate,
			AlgonomyGDPRUpdatePath:    algonomyUpdate,
			APIPath:                   algonomyAPI,
		},
		Apsis:      {ApsisTokenPath: apsisToken, APIPath: bearerAPI},
		Auth0:      {Auth0TokenPath: auth0Token, APIPath: bearerAPI},
		Basic:      {APIPath: basicAPI},
		Experiture: {ExperitureTokenPath: experitureToken, APIPath: bearerAPI},
		OAuth2:     {OAuth2TokenPath: oauth2Token, APIPath: bearerAPI},
	}
}

func systems() []System { return slices.Sorted(maps.Keys(endpoints())) }
