// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"errors"
	"strconv"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// algonomyValidity is the requested lifetime unless the user sets one.
const algonomyValidity = 15 * time.Minute

var (
	tenantHash = Key{
		Field: "tenantHash", Default: "tenant-hash", fingerprinted: "tenant hash",
		named: func(k *v1alpha1.ClientSecretKeys) v1alpha1.SecretKey { return k.TenantHash },
	}
	oauthKeySecret = Key{
		Field: "oauthKeySecret", Default: "oauth-key-secret", fingerprinted: "oauth key secret", Optional: true,
		named: func(k *v1alpha1.ClientSecretKeys) v1alpha1.SecretKey { return k.OAuthKeySecret },
	}
)

// algonomy creates a token. The answer is the token alone, which lives as long as requested. Tenants without OAuth have no key secret. The update
// endpoint changes the resources of a token that is in use, but not its lifetime.
func algonomy(p *v1alpha1.Algonomy) (Flow, error) {
	api := map[v1alpha1.AlgonomyAPI]string{v1alpha1.AlgonomyProfile: "profile", v1alpha1.AlgonomyGDPR: "gdpr"}[p.API]
	validity := durationOr(p.Validity, algonomyValidity)
	minutes := int64(validity / time.Minute)
	resources := Parameter{Name: "resource", List: append([]string{}, texts(p.Resources)...)}
	hash := Header{Name: "tenant_hash", Source: Source{Key: tenantHash.Field}, Exact: true}
	headers := []Header{hash, {Name: "oauth_key_secret", Source: Source{Key: oauthKeySecret.Field}, Exact: true}}
	response := Response{TokenField: "token", Lifetime: time.Duration(minutes) * time.Minute}
	f := Flow{
		Provider: "algonomy", Kind: "algonomy", Address: string(p.URL), AddressField: "spec.provider.algonomy.url",
		Keys: []Key{tenantHash, oauthKeySecret},
		Issue: &Step{
			URL: below(string(p.URL), "/secureApi/token/"+api+"/create"), Encoding: JSON, Headers: headers, Response: response,
			Parameters: []Parameter{resources, {Name: "validity", Source: Source{Value: strconv.FormatInt(minutes, 10)}, Number: true}},
		},
		Update: &Step{
			URL: below(string(p.URL), "/secureApi/token/"+api+"/update"), Encoding: JSON, Headers: headers, Response: response,
			Parameters: []Parameter{resources, {Name: "token", CurrentToken: true}},
		},
		APIHeaders:  []Header{hash},
		TokenHeader: "access_token",
		Settings: firstEdition(
			scopeSeparator(""), updatable(list("resources", texts(p.Resources))), text("api", string(p.API)), text("validity", validity.String()),
		),
	}
	if api == "" {
		return f, errors.New("spec.provider.algonomy.api: this version of the operator does not serve the API: upgrade the operator, or choose another one")
	}
	return f, nil
}
