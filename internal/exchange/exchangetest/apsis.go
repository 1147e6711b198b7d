// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"net/http"
	"time"
)

// apsisToken takes JSON only. The token's exp counts; expires_in is deprecated, so Client.Response may make it say anything.
func apsisToken(c *call) (*answer, *refusal) {
	p, no := c.jsonParams()
	if no != nil {
		return nil, no
	}
	if no := p.only("grant_type", "client_id", "client_secret"); no != nil {
		return nil, no
	}
	if no := p.clientCredentials(); no != nil {
		return nil, no
	}
	client, no := c.postedClient(p)
	if no != nil {
		return nil, no
	}
	token, l, no := c.issue(client, nil, c.lifetime(client), time.Second, func(l life) map[string]any {
		return l.jwtClaims(c, client, nil)
	})
	if no != nil {
		return nil, no
	}
	return good(client.Response.fields(token, l)), nil
}

// postedClient authenticates by id and secret in the body, and by nothing else.
func (c *call) postedClient(p params) (Client, *refusal) {
	c.sent(p.get("client_secret"))
	if len(c.request.Header.Values("Authorization")) > 0 {
		return Client{}, invalidRequest("use one authentication method")
	}
	if no := p.need("client_id", "client_secret"); no != nil {
		return Client{}, no
	}
	client, known := c.server.client(c.system, p.get("client_id"))
	if !known || !client.hasSecret(p.get("client_secret")) {
		return Client{}, refuse(http.StatusUnauthorized, "invalid_client", "client authentication failed")
	}
	return client, nil
}
