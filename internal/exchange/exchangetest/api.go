// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"net/http"
	"slices"
)

// bearerAPI is an API of RFC 6750, or one of Experiture or APSIS One by the shape of its errors.
func bearerAPI(c *call) (*answer, *refusal) {
	if no := c.got(); no != nil {
		return nil, no
	}
	token, no := c.live(bearer(c.request.Header))
	if no != nil {
		return nil, no
	}
	if no := c.wantScope(token); no != nil {
		return nil, no
	}
	if c.system == Experiture {
		a := good(map[string]any{"success": true, "data": map[string]any{}})
		id := c.correlationID()
		a.fields["correlationId"] = id
		a.header.Set("X-Correlation-Id", id)
		return a, nil
	}
	return good(map[string]any{"ok": true}), nil
}

// basicAPI takes token id and token secret; there is nothing to exchange.
func basicAPI(c *call) (*answer, *refusal) {
	if no := c.got(); no != nil {
		return nil, no
	}
	id, secret, _ := c.request.BasicAuth()
	c.sent(secret)
	client, known := c.server.client(Basic, id)
	if !known || !client.hasSecret(secret) {
		return nil, refuse(http.StatusUnauthorized, "invalid_token", "wrong token id or secret").with("WWW-Authenticate", `Basic realm="exchangetest"`)
	}
	return good(map[string]any{"ok": true}), nil
}

func (c *call) got() *refusal {
	if c.request.Method != http.MethodGet {
		return refuse(http.StatusMethodNotAllowed, "invalid_request", "use GET").with("Allow", http.MethodGet)
	}
	return nil
}

// live finds the token that the system issued, if it still is good. Nobody else's will do.
func (c *call) live(value string) (Token, *refusal) {
	if value == "" {
		// RFC 6750 section 3.1: no error code when there was no token
		return Token{}, refuse(http.StatusUnauthorized, "invalid_token", "Missing or invalid bearer token.").with("WWW-Authenticate", "Bearer")
	}
	token, known := c.server.Token(value)
	if !known || token.System != c.system || !token.LiveAt(c.now) {
		return Token{}, refuse(http.StatusUnauthorized, "invalid_token", "Missing or invalid bearer token.").
			with("WWW-Authenticate", `Bearer error="invalid_token"`)
	}
	return token, nil
}

// wantScope refuses a token that lacks the scope that the query asks for.
func (c *call) wantScope(token Token) *refusal {
	scope := c.request.URL.Query().Get("scope")
	if scope == "" || slices.Contains(token.Scopes, scope) {
		return nil
	}
	return refuse(http.StatusForbidden, "insufficient_scope", "Token missing required scope: %s", scope).
		with("WWW-Authenticate", `Bearer error="insufficient_scope"`)
}
