// SPDX-License-Identifier: Apache-2.0

package flow

import "github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"

var adobeHosts = []string{"ims-na1.adobelogin.com", "ims-na1-stg1.adobelogin.com", "platform.adobe.io"}

const adobeIMS = "https://ims-na1.adobelogin.com"

// adobeServerToServer is OAuth server-to-server. IMS separates scopes by commas, and its tokens have two claims of their own for their expiry. The
// answer's lifetime is in seconds.
// https://developer.adobe.com/developer-console/docs/guides/authentication/ServerToServerAuthentication/ims
func adobeServerToServer(p *v1alpha1.Adobe) Flow {
	f := adobe(p, "adobe", "/ims/token/v3")
	f.Keys = []Key{clientID, clientSecret}
	f.Issue.GrantType = clientCredentials
	f.Issue.Scopes, f.Issue.ScopeSeparator = texts(p.Scopes), ","
	return f
}

// adobe is the common part of both of Adobe's flows.
func adobe(p *v1alpha1.Adobe, kind, path string) Flow {
	address := urlOr(p.IMSURL, adobeIMS)
	response := rfc6749()
	response.ScopeSeparators = ", "
	f := Flow{
		Provider: "adobe", Kind: kind, Address: address, AddressField: "spec.provider.adobe.imsURL", Hosts: adobeHosts,
		Issue:      &Step{URL: below(address, path), ClientAuth: ClientSecretPost, Response: response},
		APIHeaders: []Header{{Name: "x-api-key", Source: Source{Key: ClientID}}, {Name: "x-gw-ims-org-id", Source: Source{Value: p.OrganizationID}}},
		Settings: firstEdition(
			list("scopes", texts(p.Scopes)), scopeSeparator(""), text("organization id", p.OrganizationID), text("sandbox name", p.SandboxName),
		),
	}
	if p.SandboxName != "" {
		f.APIHeaders = append(f.APIHeaders, Header{Name: "x-sandbox-name", Source: Source{Value: p.SandboxName}})
	}
	return f
}
