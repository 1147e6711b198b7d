// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func adobe() vendor {
	return vendor{
		endpoints: map[string]endpoint{AdobeTokenPath: adobeToken, AdobeExchangePath: adobeExchange, APIPath: adobeAPI},
		shape: func(c *call, no *refusal) (map[string]any, http.Header) {
			header := http.Header{"X-Debug-Id": {c.correlationID()}}
			if c.path == APIPath { // the gateway's errors, not IMS'
				return map[string]any{"error_code": no.code, "message": no.description}, header
			}
			return map[string]any{"error": no.code, "error_description": no.description}, header
		},
	}
}

// adobeToken is OAuth server-to-server: a form, scopes joined by commas, seconds.
func adobeToken(c *call) (*answer, *refusal) {
	p, no := c.form(mediaForm, mediaMultipart)
	if no != nil {
		return nil, no
	}
	if no := p.only("grant_type", "client_id", "client_secret", "scope"); no != nil {
		return nil, no
	}
	if no := p.clientCredentials(); no != nil {
		return nil, no
	}
	if no := p.need("client_id", "client_secret", "scope"); no != nil {
		return nil, no
	}
	client, no := c.adobeClient(p)
	if no != nil {
		return nil, no
	}
	if client.PublicKey != nil {
		return nil, refuse(http.StatusUnauthorized, "invalid_client", "the client may not use this grant")
	}
	scopes, may := client.grant(strings.Split(p.get("scope"), ","))
	if !may {
		return nil, refuse(http.StatusBadRequest, "invalid_scope", "the client may not have these scopes")
	}
	token, l, no := c.adobeIssue(client, scopes)
	if no != nil {
		return nil, no
	}
	return good(map[string]any{"access_token": token, "token_type": "bearer", "expires_in": l.seconds()}), nil
}

// adobeExchange is the service account's: an assertion, milliseconds.
func adobeExchange(c *call) (*answer, *refusal) {
	p, no := c.form(mediaForm, mediaMultipart)
	if no != nil {
		return nil, no
	}
	if no := p.only("client_id", "client_secret", "jwt_token"); no != nil {
		return nil, no
	}
	if no := p.need("client_id", "client_secret"); no != nil {
		return nil, no
	}
	client, no := c.adobeClient(p)
	if no != nil {
		return nil, no
	}
	if client.PublicKey == nil {
		return nil, refuse(http.StatusUnauthorized, "invalid_client", "the client may not use exchange_jwt")
	}
	c.sent(p.get("jwt_token"))
	if no := c.adobeAssertion(client, p.get("jwt_token")); no != nil {
		return nil, no
	}
	token, l, no := c.adobeIssue(client, client.Metascopes)
	if no != nil {
		return nil, no
	}
	return good(map[string]any{"token_type": "bearer", "access_token": token, "expires_in": l.left.Milliseconds()}), nil
}

// adobeClient authenticates by the form, and by the form only.
func (c *call) adobeClient(p params) (Client, *refusal) {
	c.sent(p.get("client_secret"))
	if len(c.request.Header.Values("Authorization")) > 0 {
		return Client{}, invalidRequest("credentials belong into the body")
	}
	client, known := c.client(Adobe, p.get("client_id"))
	if !known {
		return Client{}, refuse(http.StatusBadRequest, "invalid_client", "there is no such client")
	}
	if !client.hasSecret(p.get("client_secret")) {
		return Client{}, refuse(http.StatusUnauthorized, "invalid_client", "invalid client_secret parameter")
	}
	return client, nil
}

// adobeAssertion judges the claims of a service account's JWT, with the errors of Adobe's documentation.
func (c *call) adobeAssertion(client Client, compact string) *refusal {
	claims, err := readAssertion(compact, client.PublicKey, client.KeyID)
	switch {
	case errors.Is(err, errSignature):
		return refuse(http.StatusBadRequest, "invalid_signature", "Could not match JWT signature to any of the bindings")
	case err != nil:
		return refuse(http.StatusBadRequest, "invalid_token", "the JWT cannot be decoded")
	}
	expires, timely := timely(claims, c.clock, 24*time.Hour)
	if !timely {
		return refuse(http.StatusBadRequest, "invalid_token", "exp or iat is missing, no integer, or out of range")
	}
	host := "https://" + c.request.Host
	if claims["aud"] != host+"/c/"+client.ID {
		return refuse(http.StatusBadRequest, "invalid_client", "the audience does not name this client at this host")
	}
	if claims["iss"] != client.OrganizationID || claims["sub"] != client.TechnicalAccountID {
		return refuse(http.StatusBadRequest, "bad_request", "iss or sub is not that of the binding")
	}
	if no := client.metascopes(claims, host); no != nil {
		return no
	}
	if !c.firstUse(client, claims, expires) {
		return refuse(http.StatusBadRequest, "invalid_jti", "jti is missing, or was used before")
	}
	return nil
}

// metascopes wants at least one metascope, and none but the client's.
func (c Client) metascopes(claims map[string]any, host string) *refusal {
	named := 0
	for name, value := range claims {
		if !strings.HasPrefix(name, "https://") {
			continue
		}
		scope, here := strings.CutPrefix(name, host+"/s/")
		if !here || value != true || !slices.Contains(c.Metascopes, scope) {
			return refuse(http.StatusBadRequest, "invalid_scope", "The metascopes in the JWT are not a subset of the metascopes in the binding.")
		}
		named++
	}
	if named == 0 {
		return refuse(http.StatusBadRequest, "invalid_scope", "the JWT names no metascope")
	}
	return nil
}

// adobeIssue makes an IMS token: its lifetime stands in it in strings, in milliseconds, and there is no exp.
func (c *call) adobeIssue(client Client, scopes []string) (string, life, *refusal) {
	return c.issue(client, scopes, c.lifetime(client), time.Millisecond, func(l life) map[string]any {
		return map[string]any{
			"id":         l.id,
			"type":       "access_token",
			"as":         "ims-na1",
			"client_id":  client.ID,
			"scope":      strings.Join(scopes, ","),
			"created_at": strconv.FormatInt(l.issued.UnixMilli(), 10),
			"expires_in": strconv.FormatInt(l.expires.Sub(l.issued).Milliseconds(), 10),
		}
	})
}

// adobeAPI is a Platform API behind Adobe's gateway.
func adobeAPI(c *call) (*answer, *refusal) {
	if no := c.got(); no != nil {
		return nil, no
	}
	value := bearer(c.request.Header)
	if value == "" {
		return nil, refuse(http.StatusForbidden, "403010", "Oauth token is missing")
	}
	token, no := c.live(value)
	if no != nil {
		return nil, refuse(http.StatusUnauthorized, "401013", "Oauth token is not valid")
	}
	key := c.request.Header.Get("x-api-key")
	if key == "" {
		return nil, refuse(http.StatusForbidden, "403000", "Api Key is required")
	}
	if key != token.ClientID {
		return nil, refuse(http.StatusForbidden, "403003", "Api Key is invalid")
	}
	client, _ := c.client(Adobe, token.ClientID)
	if c.request.Header.Get("x-gw-ims-org-id") == "" {
		return nil, refuse(http.StatusBadRequest, "400003", "the x-gw-ims-org-id header is missing")
	}
	if c.request.Header.Get("x-gw-ims-org-id") != client.OrganizationID {
		return nil, refuse(http.StatusForbidden, "403025", "Profile is not valid")
	}
	if no := c.wantScope(token); no != nil {
		return nil, refuse(http.StatusForbidden, "403025", "Profile is not valid")
	}
	return good(map[string]any{"results": []any{}}), nil
}
