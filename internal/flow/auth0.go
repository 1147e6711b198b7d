// SPDX-License-Identifier: Apache-2.0

package flow

import "github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"

// auth0 accepts JSON and forms; its documentation uses JSON.
// https://auth0.com/docs/get-started/authentication-and-authorization-flow/client-credentials-flow
func auth0(p *v1alpha1.Auth0) Flow {
	address := "https://" + p.Domain
	return Flow{
		Provider: "auth0", Kind: "auth0", Address: address, AddressField: "spec.provider.auth0.domain",
		Keys: []Key{clientID, clientSecret},
		Issue: &Step{
			URL: below(address, "/oauth/token"), Encoding: JSON, ClientAuth: ClientSecretPost, GrantType: clientCredentials, Audience: p.Audience,
			Response: rfc6749(),
		},
		Settings: firstEdition(scopeSeparator(""), text("audience", p.Audience)),
	}
}
