// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

func oauth2() vendor {
	return vendor{endpoints: map[string]endpoint{OAuth2TokenPath: oauth2Token, APIPath: bearerAPI}}
}

// oauth2Token is RFC 6749 section 4.4, as strict as the client's registration.
func oauth2Token(c *call) (*answer, *refusal) {
	p, isJSON, no := c.formOrJSON()
	if no != nil {
		return nil, no
	}
	client, no := c.authenticate(p)
	if no != nil {
		return nil, no
	}
	if client.JSON != isJSON {
		return nil, refuse(http.StatusUnsupportedMediaType, "invalid_request", "this client is registered for the other format")
	}
	if no := p.clientCredentials(); no != nil {
		return nil, no
	}
	if no := c.registered(client, p); no != nil {
		return nil, no
	}
	return c.grantOAuth2(client, p, cmp.Or(client.ScopeSeparator, " "))
}

func (c *call) formOrJSON() (p params, isJSON bool, no *refusal) {
	mediaType, _, no := c.posted(mediaForm, mediaJSON)
	if no != nil {
		return nil, false, no
	}
	if mediaType == mediaJSON {
		p, no = c.jsonParams()
		return p, true, no
	}
	p, no = c.form(mediaForm)
	return p, false, no
}

// registered holds a request against what was agreed: audience, resources, further parameters and headers.
func (c *call) registered(client Client, p params) *refusal {
	known := []string{"grant_type", "scope", "audience", "resource", "client_id", "client_secret", "client_assertion", "client_assertion_type"}
	if no := p.only(slices.AppendSeq(known, maps.Keys(client.Parameters))...); no != nil {
		return no
	}
	for name, want := range client.Parameters {
		if p.get(name) != want {
			return invalidRequest("parameter %q is missing or wrong", name)
		}
	}
	for name, want := range client.Headers {
		if !slices.Equal(c.request.Header.Values(name), []string{want}) {
			return invalidRequest("header %q is missing or wrong", name)
		}
	}
	return client.registeredTargets(p)
}

// registeredTargets holds audience and resources (RFC 8707) against what was agreed.
func (c Client) registeredTargets(p params) *refusal {
	audiences := c.Audiences
	if len(audiences) == 0 {
		audiences = []string{""}
	}
	if !slices.Contains(audiences, p.get("audience")) {
		return refuse(http.StatusBadRequest, "invalid_target", "the client may not have this audience")
	}
	for _, resource := range p["resource"] {
		u, err := url.Parse(resource)
		wellFormed := err == nil && u.IsAbs() && u.Fragment == ""
		if !wellFormed || !slices.Contains(c.Resources, resource) {
			return refuse(http.StatusBadRequest, "invalid_target", "the client may not have this resource")
		}
	}
	return nil
}

func (c *call) grantOAuth2(client Client, p params, separator string) (*answer, *refusal) {
	var asked []string
	if p.has("scope") {
		asked = strings.Split(p.get("scope"), separator)
	}
	scopes, may := client.grant(asked)
	if !may {
		return nil, refuse(http.StatusBadRequest, "invalid_scope", "the client may not have these scopes")
	}
	token, l, no := c.issue(client, scopes, c.lifetime(client), time.Second, func(l life) map[string]any {
		claims := l.jwtClaims(c, client, scopes)
		claims["client_id"] = client.ID
		switch audience := slices.Concat(p["audience"], p["resource"]); len(audience) {
		case 0:
		case 1:
			claims["aud"] = audience[0]
		default:
			claims["aud"] = audience
		}
		return claims
	})
	if no != nil {
		return nil, no
	}
	fields := client.Response.fields(token, l)
	if len(scopes) > 0 {
		fields["scope"] = strings.Join(scopes, " ")
	}
	return good(fields), nil
}

// fields are those of a good answer.
func (r Response) fields(token string, l life) map[string]any {
	fields := map[string]any{"token_type": "Bearer"}
	put(fields, cmp.Or(r.TokenField, "access_token"), token)
	if r.OmitExpiresIn {
		return fields
	}
	var expiresIn any = int64(l.left / cmp.Or(r.Unit, time.Second))
	if r.ExpiresIn != nil {
		expiresIn = r.ExpiresIn
	}
	put(fields, cmp.Or(r.ExpiresInField, "expires_in"), expiresIn)
	return fields
}

// put sets a field; a dot in its name descends into an object.
func put(fields map[string]any, name string, value any) {
	outer, rest, nested := strings.Cut(name, ".")
	if !nested {
		fields[name] = value
		return
	}
	inner, isObject := fields[outer].(map[string]any)
	if !isObject {
		inner = map[string]any{}
		fields[outer] = inner
	}
	put(inner, rest, value)
}
