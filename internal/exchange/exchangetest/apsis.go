// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"net/http"
	"time"
)

func apsis() vendor {
	return vendor{
		endpoints: map[string]endpoint{ApsisTokenPath: apsisToken, APIPath: bearerAPI},
		shape: func(_ *call, no *refusal) (map[string]any, http.Header) {
			fields := map[string]any{"status": no.status, "title": http.StatusText(no.status), "detail": no.description}
			return fields, http.Header{"Content-Type": {mediaProblem}}
		},
	}
}

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
