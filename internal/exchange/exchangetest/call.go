// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// call is one request while it is judged.
type call struct {
	server    *Server
	system    System
	path      string
	request   *http.Request // its body is read already
	body      []byte
	behaviour Behaviour
	fault     *Fault    // nil: none
	now       time.Time // true time of arrival
	clock     time.Time // the same by the endpoint's clock
}

// url is the address that was called, as the sender wrote it.
func (c *call) url() string { return "https://" + c.request.Host + c.request.URL.Path }

// lifetime of a client's tokens.
func (c *call) lifetime(client Client) time.Duration {
	return cmp.Or(client.Lifetime, c.behaviour.Lifetime, time.Hour)
}

// sent remembers secrets that came with the request, right or wrong. Shorter ones than a secret ever is would be found everywhere.
func (c *call) sent(values ...string) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	for _, value := range values {
		if len(value) >= 8 {
			c.server.secrets.remember(value, c.now, c.now)
		}
	}
}

// claimedClient is who the sender says it is, however it says so.
func (c *call) claimedClient() string {
	header := c.request.Header
	if c.path == APIPath && c.system != Basic {
		token, _ := c.server.Token(cmp.Or(header.Get(headerAccessToken), bearer(header)))
		return token.ClientID
	}
	if id, _, ok := c.request.BasicAuth(); ok {
		if decoded, err := url.QueryUnescape(id); err == nil {
			if _, known := c.server.client(c.system, decoded); known {
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

// assertedIssuer is the unverified iss of an assertion.
func assertedIssuer(assertion string) string {
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	var claims struct {
		Issuer string `json:"iss"`
	}
	_ = json.Unmarshal(payload, &claims)
	return claims.Issuer
}

// bearer is the token of an Authorization header.
func bearer(h http.Header) string {
	scheme, token, _ := strings.Cut(h.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return token
}
