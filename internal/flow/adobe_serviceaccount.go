// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"net/url"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// adobeServiceAccount exchanges a JWT signed with the client's key. Adobe has deprecated it in favour of server-to-server. The answer's lifetime is
// in milliseconds. Adobe's tutorial posts multipart, its reference and its Go client a form: IMS accepts both. The host in aud and in the
// metascopes must be the one that is called.
// https://developer.adobe.com/developer-console/docs/guides/authentication/JWT
func adobeServiceAccount(p *v1alpha1.Adobe) Flow {
	f := adobe(p, "adobe-service-account", "/ims/exchange/jwt")
	f.Keys = []Key{clientID, clientSecret, privateKey, passphrase, keyID}
	f.Deprecated = "Adobe has ended service account (JWT) credentials: make an OAuth server-to-server credential and use spec.provider.adobe.scopes"
	ims := ""
	if u, err := url.Parse(f.Address); err == nil {
		ims = "https://" + u.Host
	}
	claims := map[string]any{}
	for _, metascope := range p.ServiceAccount.Metascopes {
		claims[ims+"/s/"+string(metascope)] = true
	}
	f.Issue.Parameters = []Parameter{{Name: "jwt_token", JWT: &JWT{
		Algorithm: RS256,
		Issuer:    Source{Value: p.OrganizationID},
		Subject:   Source{Value: p.ServiceAccount.TechnicalAccountID},
		Audience:  Source{Value: ims + "/c/", Key: ClientID},
		Lifetime:  5 * time.Minute,
		Claims:    claims,
	}}}
	f.Issue.Response.ExpiresInUnit = Milliseconds
	// https://github.com/AdobeDocs/adobe-dev-console/issues/124: permanent, although it looks temporary.
	f.Issue.Response.Remarks = []Remark{{500, "internal_error", "the endpoint failed, as it does for a credential that Adobe has moved to OAuth server-to-server"}}
	f.Settings = firstEdition(
		scopeSeparator(""), text("organization id", p.OrganizationID), text("sandbox name", p.SandboxName),
		text("technical account id", p.ServiceAccount.TechnicalAccountID), list("metascopes", texts(p.ServiceAccount.Metascopes)),
	)
	return f
}
