// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// assertionType is the only client_assertion_type (RFC 7523 section 2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// authenticate finds the client by the one method that it is registered for. Two methods at once are refused (RFC 6749 section 2.3).
func (c *call) authenticate(p params) (Client, *refusal) {
	authorization := c.request.Header.Values("Authorization")
	c.sent(p.get("client_secret"), p.get("client_assertion"))
	methods := p.methods()
	if len(authorization) > 0 {
		methods++
	}
	switch {
	case methods > 1 || len(authorization) > 1:
		return Client{}, invalidRequest("use one authentication method")
	case len(authorization) == 1:
		return c.basicClient(p, authorization[0])
	case p.has("client_secret"):
		return c.postingClient(p)
	case methods == 1:
		return c.assertingClient(p)
	}
	return Client{}, refuse(http.StatusUnauthorized, "invalid_client", "authentication is missing")
}

// methods counts the ways to authenticate in the body.
func (p params) methods() int {
	n := 0
	if p.has("client_secret") {
		n++
	}
	if p.has("client_assertion") || p.has("client_assertion_type") {
		n++
	}
	return n
}

func (c *call) postingClient(p params) (Client, *refusal) {
	client, no := c.postedClient(p)
	if no == nil && client.Auth != AuthPost && client.Auth != "" {
		return Client{}, c.wrongMethod()
	}
	return client, no
}

// basicClient reads a Basic header both ways and takes the one that the client is registered for.
func (c *call) basicClient(p params, header string) (Client, *refusal) {
	failed := refuse(http.StatusUnauthorized, "invalid_client", "client authentication failed").with("WWW-Authenticate", `Basic realm="exchangetest"`)
	scheme, encoded, _ := strings.Cut(header, " ")
	pair, err := base64.StdEncoding.Strict().DecodeString(encoded)
	id, secret, both := strings.Cut(string(pair), ":")
	if !strings.EqualFold(scheme, "Basic") || err != nil || !both {
		return Client{}, failed
	}
	c.sent(encoded, secret)
	client, known := c.client(c.system, id)
	if !known || client.Auth != AuthBasicRaw {
		client, secret, known = c.decodedClient(id, secret)
	}
	if !known || !client.hasSecret(secret) {
		return Client{}, failed
	}
	if p.has("client_id") && p.get("client_id") != client.ID {
		return Client{}, invalidRequest("client_id is not that of the header")
	}
	return client, nil
}

// decodedClient finds the client whose ID and secret are form-encoded in the header (RFC 6749 section 2.3.1).
func (c *call) decodedClient(id, secret string) (_ Client, decoded string, ok bool) {
	id, err := url.QueryUnescape(id)
	if err != nil {
		return Client{}, "", false
	}
	if decoded, err = url.QueryUnescape(secret); err != nil {
		return Client{}, "", false
	}
	c.sent(decoded)
	client, known := c.client(c.system, id)
	return client, decoded, known && (client.Auth == AuthBasic || client.Auth == "")
}

// assertingClient verifies a private_key_jwt: iss and sub the client, aud this endpoint and it alone, at most a minute, a fresh jti.
func (c *call) assertingClient(p params) (Client, *refusal) {
	failed := func(why string) (Client, *refusal) {
		return Client{}, refuse(http.StatusUnauthorized, "invalid_client", "%s", why)
	}
	if p.get("client_assertion_type") != assertionType || !p.has("client_assertion") {
		return Client{}, invalidRequest("client_assertion or its type is missing or wrong")
	}
	id := assertedIssuer(p.get("client_assertion"))
	client, known := c.client(c.system, id)
	otherID := p.has("client_id") && p.get("client_id") != id
	if !known || client.Auth != AuthPrivateKeyJWT || otherID {
		return failed("client authentication failed")
	}
	claims, err := readAssertion(p.get("client_assertion"), client.PublicKey, client.KeyID)
	if err != nil {
		return failed(err.Error())
	}
	if why := c.rejects(client, claims); why != "" {
		return failed(why)
	}
	return client, nil
}

// rejects is what is wrong with the claims of an assertion, or empty.
func (c *call) rejects(client Client, claims map[string]any) (why string) {
	if claims["sub"] != client.ID || claims["aud"] != c.url() {
		return "sub is not the client, or aud is not this endpoint"
	}
	expires, timely := timely(claims, c.clock, time.Minute)
	if !timely {
		return "exp or iat is missing, no integer, or out of range"
	}
	if !c.firstUse(client, claims, expires) {
		return "jti is missing, or was used before"
	}
	return ""
}

func (c *call) wrongMethod() *refusal {
	return refuse(http.StatusUnauthorized, "invalid_client", "the client is registered for another authentication method")
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
	client, known := c.client(c.system, p.get("client_id"))
	if !known || !client.hasSecret(p.get("client_secret")) {
		return Client{}, refuse(http.StatusUnauthorized, "invalid_client", "client authentication failed")
	}
	return client, nil
}

// firstUse reports whether the assertion's jti is a string that this client has not used in an assertion that is still good.
func (c *call) firstUse(client Client, claims map[string]any, expires time.Time) bool {
	jti, ok := claims["jti"].(string)
	if !ok || jti == "" {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ledger.use(clientKey{c.system, client.ID}, jti, c.now, expires.Add(skew-c.behaviour.ClockOffset))
}
