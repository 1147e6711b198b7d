// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// oauth2 is for any other endpoint of RFC 6749 section 4.4.
func oauth2(p *v1alpha1.OAuth2) Flow {
	auth := cmp.Or(ClientAuth(p.AuthMethod), ClientSecretBasic)
	step := &Step{
		URL: string(p.TokenURL), Encoding: cmp.Or(Encoding(p.RequestFormat), Form), ClientAuth: auth, GrantType: clientCredentials,
		Scopes: texts(p.Scopes), ScopeSeparator: p.ScopeSeparator, Audience: p.Audience, Resources: p.Resources,
		Response: oauth2Response(p),
	}
	for _, name := range slices.Sorted(maps.Keys(p.Parameters)) {
		step.Parameters = append(step.Parameters, Parameter{Name: name, Source: Source{Value: string(p.Parameters[name])}})
	}
	for _, name := range slices.Sorted(maps.Keys(p.Headers)) {
		step.Headers = append(step.Headers, Header{Name: name, Source: Source{Value: string(p.Headers[name])}})
	}
	f := Flow{
		Provider: "oauth2", Kind: "oauth2", Address: string(p.TokenURL), AddressField: "spec.provider.oauth2.tokenURL",
		Keys:  []Key{clientID, clientSecret},
		Issue: step,
		Advice: Advice{
			NoExpiry:     "name the field that has its lifetime in spec.provider.oauth2.response, or give spec.provider.oauth2.defaultLifetime",
			AbsurdExpiry: "check spec.provider.oauth2.response.expiresInUnit",
		},
		Settings: oauth2Settings(p),
	}
	switch auth {
	case ClientSecretBasic:
		f.Advice.Rejected = "if the ID or the secret has characters other than letters and digits, try authMethod ClientSecretBasicRaw, which does not percent-encode them"
	case PrivateKeyJWT:
		f.Keys = []Key{clientID, privateKey, passphrase, keyID}
		// RFC 7523 section 3; RFC 7523bis requires the issuer as the audience, which users can set.
		step.Assertion = &JWT{
			Issuer: Source{Key: ClientID}, Subject: Source{Key: ClientID}, Lifetime: time.Minute,
			Audience: Source{Value: cmp.Or(p.AssertionAudience, string(p.TokenURL))},
		}
	}
	return f
}

func oauth2Response(p *v1alpha1.OAuth2) Response {
	response := rfc6749()
	response.ScopeSeparators += p.ScopeSeparator
	response.DefaultLifetime = durationOr(p.DefaultLifetime, 0)
	if r := p.Response; r != nil {
		response.TokenField = cmp.Or(r.TokenField, response.TokenField)
		response.ExpiresInField = cmp.Or(r.ExpiresInField, response.ExpiresInField)
		response.ExpiresInUnit = cmp.Or(Unit(r.ExpiresInUnit), response.ExpiresInUnit)
	}
	return response
}

func oauth2Settings(p *v1alpha1.OAuth2) []Setting {
	response := oauth2Response(p)
	settings := []Setting{
		list("scopes", texts(p.Scopes)), scopeSeparator(p.ScopeSeparator), text("audience", p.Audience), text("assertion audience", p.AssertionAudience),
		list("resources", p.Resources),
		text("auth method", cmp.Or(string(p.AuthMethod), string(ClientSecretBasic))), text("body format", cmp.Or(string(p.RequestFormat), string(Form))),
		pairs("parameters", p.Parameters), pairs("headers", p.Headers),
		text("token field", response.TokenField), text("expires in field", response.ExpiresInField), text("expires in unit", string(response.ExpiresInUnit)),
	}
	if response.DefaultLifetime != 0 {
		settings = append(settings, text("default lifetime", response.DefaultLifetime.String()))
	}
	return settings
}
