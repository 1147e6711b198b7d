// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"cmp"
	"encoding/json"
	"mime"
	"net/url"
)

// claimedClient is who the sender says it is, however it says so.
func (c *call) claimedClient() string {
	header := c.request.Header
	if c.path == APIPath && c.system != Basic {
		token, _ := c.Token(cmp.Or(header.Get(headerAccessToken), bearer(header)))
		return token.ClientID
	}
	if id, _, ok := c.request.BasicAuth(); ok {
		if decoded, err := url.QueryUnescape(id); err == nil {
			if _, known := c.client(c.system, decoded); known {
				return decoded
			}
		}
		return id
	}
	if mediaType, _, _ := mime.ParseMediaType(header.Get("Content-Type")); mediaType == mediaJSON {
		var body struct {
			ClientID string `json:"client_id"`
		}
		_ = json.Unmarshal(c.body, &body)
		return cmp.Or(header.Get(headerTenantHash), body.ClientID)
	}
	p, _ := c.form(mediaForm, mediaMultipart)
	return cmp.Or(p.get("client_id"), assertedIssuer(p.get("client_assertion")))
}
