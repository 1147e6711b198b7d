// SPDX-License-Identifier: Apache-2.0

package flow

import "github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"

var experitureHosts = []string{"api.experiture.ai"}

// experiture shows its token endpoint only in its console, and documents it as "OAuth 2.0 client credentials grant" without details. So the client
// authenticates by HTTP Basic, the one method that RFC 6749 section 2.3.1 requires servers to support, and the token may be at the top level or in the
// envelope of all other answers of this vendor. For an endpoint that differs, users have oauth2.
func experiture(p *v1alpha1.Experiture) Flow {
	response := rfc6749()
	response.Envelope = "data"
	return Flow{
		Provider: "experiture", Kind: "experiture", Address: string(p.TokenURL), AddressField: "spec.provider.experiture.tokenURL", Hosts: experitureHosts,
		Keys: []Key{clientID, clientSecret},
		Issue: &Step{
			URL: string(p.TokenURL), ClientAuth: ClientSecretBasic, GrantType: clientCredentials, Scopes: texts(p.Scopes), Response: response,
		},
		Settings: firstEdition(list("scopes", texts(p.Scopes)), scopeSeparator("")),
	}
}
