// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"net/http"
	"slices"
	"strings"
)

// bearerAPI is an API of RFC 6750.
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
	token, known := c.Token(value)
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

// bearer is the token of an Authorization header.
func bearer(h http.Header) string {
	scheme, token, _ := strings.Cut(h.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return token
}
