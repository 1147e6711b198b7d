// SPDX-License-Identifier: Apache-2.0

package flow

import "github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"

var apsisHosts = []string{"api.apsis.one", "api-apac.apsis.one"}

// apsis accepts only JSON. Its expires_in is deprecated: only the token's exp counts.
// https://developer.apsis.com/reference/post_oauth-token
func apsis(p *v1alpha1.Apsis) Flow {
	address := urlOr(p.URL, "https://api.apsis.one")
	response := rfc6749()
	response.ClaimsOnly = true
	return Flow{
		Provider: "apsis", Kind: "apsis", Address: address, AddressField: "spec.provider.apsis.url", Hosts: apsisHosts,
		Keys: []Key{clientID, clientSecret},
		Issue: &Step{
			URL: below(address, "/oauth/token"), Encoding: JSON, ClientAuth: ClientSecretPost, GrantType: clientCredentials, Response: response,
		},
		Settings: firstEdition(scopeSeparator("")),
	}
}
