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
	methods := 0
	for _, used := range []bool{len(authorization) > 0, p.has("client_secret"), p.has("client_assertion") || p.has("client_assertion_type")} {
		if used {
			methods++
		}
	}
	switch {
	case methods > 1 || len(authorization) > 1:
		return Client{}, invalidRequest("use one authentication method")
	case len(authorization) == 1:
		return c.basicClient(p, authorization[0])
	case p.has("client_secret"):
		client, no := c.postedClient(p)
		if no == nil && client.Auth != AuthPost && client.Auth != "" {
			return Client{}, c.wrongMethod()
		}
		return client, no
	case methods == 1:
		return c.assertingClient(p)
	}
	return Client{}, refuse(http.StatusUnauthorized, "invalid_client", "authentication is missing")
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
	client, known := c.server.client(c.system, id)
	if !known || client.Auth != AuthBasicRaw {
		if id, err = url.QueryUnescape(id); err != nil {
			return Client{}, failed
		}
		if secret, err = url.QueryUnescape(secret); err != nil {
			return Client{}, failed
		}
		c.sent(secret)
		client, known = c.server.client(c.system, id)
		if !known || (client.Auth != AuthBasic && client.Auth != "") {
			return Client{}, failed
		}
	}
	if !client.hasSecret(secret) {
		return Client{}, failed
	}
	if p.has("client_id") && p.get("client_id") != client.ID {
		return Client{}, invalidRequest("client_id is not that of the header")
	}
	return client, nil
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
	client, known := c.server.client(c.system, id)
	if !known || client.Auth != AuthPrivateKeyJWT || (p.has("client_id") && p.get("client_id") != id) {
		return failed("client authentication failed")
	}
	claims, err := readAssertion(p.get("client_assertion"), client.PublicKey, client.KeyID)
	if err != nil {
		return failed(err.Error())
	}
	if claims["sub"] != id || claims["aud"] != c.url() {
		return failed("sub is not the client, or aud is not this endpoint")
	}
	expires, timely := timely(claims, c.clock, time.Minute)
	if !timely {
		return failed("exp or iat is missing, no integer, or out of range")
	}
	if !c.firstUse(client, claims, expires) {
		return failed("jti is missing, or was used before")
	}
	return client, nil
}

func (c *call) wrongMethod() *refusal {
	return refuse(http.StatusUnauthorized, "invalid_client", "the client is registered for another authentication method")
}
