// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/cdpcredentials/cdp-credential-operator/internal/flow"
)

// body is the content of a request before it is encoded.
type body struct {
	grant string
	scope string
	// parameters are strings, lists of strings or numbers.
	parameters map[string]any
	// id and secret authenticate the client in the body or, with basic, in a header. Empty: not sent.
	id, secret string
	basic      bool
}

// body returns the content without the client's authentication.
func (a *attempt) body(ctx context.Context) (*body, error) {
	b := &body{grant: a.step.GrantType, scope: strings.Join(a.step.Scopes, cmp.Or(a.step.ScopeSeparator, " ")), parameters: map[string]any{}}
	if a.step.Audience != "" {
		b.parameters["audience"] = a.step.Audience
	}
	if len(a.step.Resources) > 0 {
		b.parameters["resource"] = a.step.Resources
	}
	for _, parameter := range a.step.Parameters {
		value, err := a.parameter(ctx, parameter)
		if err != nil {
			return nil, err
		}
		if value != nil {
			b.parameters[parameter.Name] = value
		}
	}
	return b, nil
}

// parameter returns the value of a parameter. Nil: it is omitted.
func (a *attempt) parameter(ctx context.Context, p flow.Parameter) (any, error) {
	switch {
	case p.JWT != nil:
		return a.assertion(ctx, p.JWT)
	case p.CurrentToken:
		a.secrets = a.secrets.and(string(a.req.CurrentToken))
		return string(a.req.CurrentToken), nil
	case p.List != nil:
		return p.List, nil
	}
	value, ok := a.value(p.Source)
	switch {
	case !ok:
		return nil, nil
	case p.Number:
		return json.Number(value), nil
	}
	return value, nil
}

// authenticate adds the client's authentication to the body or the headers.
func (a *attempt) authenticate(ctx context.Context, b *body, headers http.Header) error {
	id, secret := a.req.Values[flow.ClientID], a.req.Values[flow.ClientSecret]
	switch a.step.ClientAuth {
	case "":
	case flow.ClientSecretBasic:
		a.secrets = a.secrets.andClient(id, secret)
		b.id, b.secret, b.basic = string(id), string(secret), true
	case flow.ClientSecretBasicRaw:
		a.secrets = a.secrets.andClient(id, secret)
		headers.Set("Authorization", "Basic "+basicCredentials(id, secret))
	case flow.ClientSecretPost:
		a.secrets = a.secrets.andClient(id, secret)
		b.id, b.secret = string(id), string(secret)
	case flow.PrivateKeyJWT:
		assertion, err := a.assertion(ctx, a.step.Assertion)
		if err != nil {
			return err
		}
		b.id = string(id)
		b.parameters["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
		b.parameters["client_assertion"] = assertion
	default:
		return &Error{Kind: Unsupported, Detail: "this version does not support the authentication method"}
	}
	return nil
}

// members returns the body as a JSON object.
func (b *body) members() map[string]any {
	members := maps.Clone(b.parameters)
	for name, value := range b.own() {
		members[name] = value
	}
	return members
}

// values returns the body as a form. A list becomes a repeated field.
func (b *body) values() url.Values {
	values := url.Values{}
	for name, value := range b.parameters {
		switch value := value.(type) {
		case []string:
			values[name] = value
		case json.Number:
			values.Set(name, value.String())
		case string:
			values.Set(name, value)
		}
	}
	for name, value := range b.own() {
		values.Set(name, value)
	}
	return values
}

// own returns the non-empty members that have fields of their own in a flow.Step.
func (b *body) own() map[string]string {
	own := map[string]string{"grant_type": b.grant, "scope": b.scope}
	if !b.basic {
		own["client_id"], own["client_secret"] = b.id, b.secret
	}
	maps.DeleteFunc(own, func(_, value string) bool { return value == "" })
	return own
}
