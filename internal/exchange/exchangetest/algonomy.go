// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func algonomy() vendor {
	return vendor{
		endpoints: map[string]endpoint{
			AlgonomyProfileCreatePath: algonomyCreate,
			AlgonomyProfileUpdatePath: algonomyUpdate,
			AlgonomyGDPRCreatePath:    algonomyCreate,
			AlgonomyGDPRUpdatePath:    algonomyUpdate,
			APIPath:                   algonomyAPI,
		},
		shape: func(_ *call, no *refusal) (map[string]any, http.Header) {
			return map[string]any{"status": "ERROR", "message": no.description}, nil
		},
	}
}

// algonomyDefaultValidity is what a token lives when nothing was asked for.
const algonomyDefaultValidity = 15 * time.Minute

// algonomyCreate makes a token: {resource, validity in minutes} in, {token} out.
func algonomyCreate(c *call) (*answer, *refusal) {
	fields, no := c.algonomyBody("resource", "validity")
	if no != nil {
		return nil, no
	}
	client, no := c.algonomyTenant()
	if no != nil {
		return nil, no
	}
	resources, no := algonomyResources(client, fields)
	if no != nil {
		return nil, no
	}
	validity := algonomyDefaultValidity
	if given, asked := fields["validity"]; asked {
		number, _ := given.(json.Number)
		minutes, err := strconv.ParseInt(number.String(), 10, 32)
		if err != nil || minutes < 1 {
			return nil, invalidRequest("validity must be a whole number of minutes")
		}
		validity = time.Duration(minutes) * time.Minute
	}
	token, _, no := c.issue(client, resources, validity, time.Nanosecond, nil)
	if no != nil {
		return nil, no
	}
	return good(map[string]any{"token": token}), nil
}

// algonomyUpdate changes the resources of a live token, and neither the token nor its end.
func algonomyUpdate(c *call) (*answer, *refusal) {
	fields, no := c.algonomyBody("resource", "token")
	if no != nil {
		return nil, no
	}
	client, no := c.algonomyTenant()
	if no != nil {
		return nil, no
	}
	resources, no := algonomyResources(client, fields)
	if no != nil {
		return nil, no
	}
	value, _ := fields["token"].(string)
	c.sent(value)

	c.mu.Lock()
	defer c.mu.Unlock()
	token, known := c.ledger.tokens[value]
	sameAPI := strings.TrimSuffix(token.path, "/create") == strings.TrimSuffix(c.path, "/update")
	if !known || !token.LiveAt(c.now) || token.ClientID != client.ID || !sameAPI {
		return nil, refuse(http.StatusUnauthorized, "invalid_token", "Invalid or expired token")
	}
	token.Scopes = resources
	c.ledger.tokens[value] = token
	c.counts.stats.Updated[ClientKey{c.system, client.ID}]++
	return good(map[string]any{"message": "Token updated successfully", "token": value}), nil
}

func (c *call) algonomyBody(names ...string) (map[string]any, *refusal) {
	fields, no := c.object()
	if no != nil {
		return nil, no
	}
	for name := range fields {
		if !slices.Contains(names, name) {
			return nil, invalidRequest("unknown field %q", name)
		}
	}
	return fields, nil
}

// algonomyTenant authenticates by the headers. A tenant without OAuth must not send a key secret.
func (c *call) algonomyTenant() (Client, *refusal) {
	hashes, keys := c.request.Header.Values(headerTenantHash), c.request.Header.Values(headerOAuthKeySecret)
	c.sent(slices.Concat(hashes, keys)...)
	if len(hashes) != 1 {
		return Client{}, refuse(http.StatusUnauthorized, "invalid_client", "tenant_hash is missing or repeated")
	}
	client, known := c.client(Algonomy, hashes[0])
	if !known {
		return Client{}, refuse(http.StatusUnauthorized, "invalid_client", "there is no such tenant")
	}
	if client.Secret == "" {
		if len(keys) > 0 {
			return Client{}, refuse(http.StatusUnauthorized, "invalid_client", "this tenant has no OAuth authentication")
		}
		return client, nil
	}
	if len(keys) != 1 || !client.hasSecret(keys[0]) {
		return Client{}, refuse(http.StatusUnauthorized, "invalid_client", "oauth_key_secret is missing or wrong")
	}
	return client, nil
}

func algonomyResources(client Client, fields map[string]any) ([]string, *refusal) {
	if _, isList := fields["resource"].([]any); !isList {
		return nil, invalidRequest("resource must be a list of names")
	}
	resources, named := texts(fields["resource"])
	if !named {
		return nil, invalidRequest("resource must be a list of names")
	}
	for _, resource := range resources {
		if client.Resources != nil && !slices.Contains(client.Resources, resource) {
			return nil, refuse(http.StatusForbidden, "invalid_scope", "the tenant may not use resource %q", resource)
		}
	}
	return resources, nil
}

// algonomyAPI is a data API: the token has a header of its own.
func algonomyAPI(c *call) (*answer, *refusal) {
	if no := c.got(); no != nil {
		return nil, no
	}
	token, no := c.live(c.request.Header.Get(headerAccessToken))
	if no != nil {
		return nil, no
	}
	if c.request.Header.Get(headerTenantHash) != token.ClientID {
		return nil, refuse(http.StatusUnauthorized, "invalid_token", "tenant_hash is missing or not that of the token")
	}
	if no := c.wantScope(token); no != nil {
		return nil, no
	}
	return good(map[string]any{"status": "OK", "message": "", "data": map[string]any{}}), nil
}
