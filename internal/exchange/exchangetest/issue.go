// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

// life is when a token begins and ends by the endpoint's clock.
type life struct {
	issued, expires time.Time
	left            time.Duration // as an answer gives it
	id              string
}

func (l life) seconds() int64 { return int64(l.left / time.Second) }

// jwtClaims are those that every JWT of RFC 7519 shares here.
func (l life) jwtClaims(c *call, client Client, scopes []string) map[string]any {
	claims := map[string]any{
		"iss": c.base + "/",
		"sub": client.ID,
		"iat": l.issued.Unix(),
		"exp": l.expires.Unix(),
		"jti": l.id,
	}
	if len(scopes) > 0 {
		claims["scope"] = strings.Join(scopes, " ")
	}
	return claims
}

// issue makes a token of a client and takes it down. Without claims the token is opaque. The precision is that of the times in the
// token: it ends when it says it does.
func (c *call) issue(client Client, scopes []string, lifetime, precision time.Duration, claims func(life) map[string]any) (string, life, *refusal) {
	chance, err := c.random(46)
	if err != nil {
		return "", life{}, refuse(http.StatusInternalServerError, "server_error", "there is no chance left")
	}
	l := life{issued: c.clock.Truncate(precision), left: lifetime, id: encode(chance[:12])}
	if c.fault != nil && c.fault.Expired {
		l.left = -time.Minute
		l.issued = l.issued.Add(l.left - lifetime)
	}
	l.expires = l.issued.Add(lifetime)

	token := opaque(chance)
	if claims != nil && !client.Opaque {
		if token, err = c.signer.sign(claims(l)); err != nil {
			return "", life{}, refuse(http.StatusInternalServerError, "server_error", "the token cannot be signed")
		}
	}
	t := Token{
		System:   c.system,
		ClientID: client.ID,
		Value:    token,
		Scopes:   scopes,
		Issued:   c.now,
		Expires:  l.expires.Add(-c.behaviour.ClockOffset),
		path:     c.path,
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if client.OneActive {
		c.revokeClient(c.system, client.ID, c.now)
	}
	c.ledger.add(t)
	c.secrets.remember(token, c.now, t.Expires)
	c.counts.stats.Issued[ClientKey{c.system, client.ID}]++
	return token, l, nil
}

// opaque looks like the tokens in Algonomy's documentation: letters and digits only.
func opaque(chance []byte) string {
	return strings.NewReplacer("-", "A", "_", "z").Replace(base64.RawURLEncoding.EncodeToString(chance))
}
