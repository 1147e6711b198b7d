// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func auth0() vendor {
	return vendor{
		endpoints: map[string]endpoint{Auth0TokenPath: auth0Token, APIPath: bearerAPI},
		shape: func(_ *call, no *refusal) (map[string]any, http.Header) {
			if no.code == "invalid_client" {
				return map[string]any{"error": "access_denied", "error_description": "Unauthorized"}, nil
			}
			return map[string]any{"error": no.code, "error_description": no.description}, nil
		},
	}
}

// auth0Token takes JSON with an audience, and answers errors as Auth0 does: a wrong secret is access_denied, not invalid_client.
func auth0Token(c *call) (*answer, *refusal) {
	p, no := c.jsonParams()
	if no != nil {
		return nil, no
	}
	if no := p.only("grant_type", "client_id", "client_secret", "audience", "organization"); no != nil {
		return nil, no
	}
	if no := p.need("grant_type"); no != nil {
		return nil, no
	}
	client, no := c.postedClient(p)
	if no != nil {
		return nil, no
	}
	if grant := p.get("grant_type"); grant != "client_credentials" {
		return nil, refuse(http.StatusForbidden, "unauthorized_client", "Grant type '%s' not allowed for the client.", grant)
	}
	audience := p.get("audience")
	if no := c.grantsAudience(client, audience); no != nil {
		return nil, no
	}
	header := http.Header{}
	if client.DailyQuota > 0 {
		used := c.issuedToday(client)
		if used >= client.DailyQuota {
			return nil, c.quotaSpent(client)
		}
		header.Set("Auth0-Client-Quota-Limit", c.quota(client, used+1))
	}
	token, l, no := c.issue(client, client.Scopes, c.lifetime(client), time.Second, func(l life) map[string]any {
		claims := l.jwtClaims(c, client, client.Scopes)
		claims["sub"], claims["azp"], claims["aud"], claims["gty"] = client.ID+"@clients", client.ID, audience, "client-credentials"
		return claims
	})
	if no != nil {
		return nil, no
	}
	fields := map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": l.seconds()}
	if len(client.Scopes) > 0 {
		fields["scope"] = strings.Join(client.Scopes, " ")
	}
	a := good(fields)
	maps.Copy(a.header, header)
	return a, nil
}

// grantsAudience refuses an audience for which the client has no grant.
func (c *call) grantsAudience(client Client, audience string) *refusal {
	switch {
	case slices.Contains(client.Audiences, audience):
		return nil
	case !c.granted(Auth0, audience):
		return refuse(http.StatusForbidden, "access_denied", "Service not enabled within domain: %s", audience)
	}
	return refuse(http.StatusForbidden, "access_denied",
		"Client is not authorized to access %q. You need to create a \"client-grant\" associated to this API.", audience)
}

func (c *call) issuedToday(client Client) int {
	day := c.clock.UTC().Truncate(24 * time.Hour).Add(-c.behaviour.ClockOffset)
	count := 0
	for _, token := range c.Tokens() {
		if token.System == Auth0 && token.ClientID == client.ID && !token.Issued.Before(day) {
			count++
		}
	}
	return count
}

// quota is the header's value: bucket, quota, remaining, seconds to the reset.
func (c *call) quota(client Client, used int) string {
	return fmt.Sprintf("b=per_day;q=%d;r=%d;t=%d", client.DailyQuota, client.DailyQuota-used, c.secondsToMidnight())
}

func (c *call) quotaSpent(client Client) *refusal {
	seconds := c.secondsToMidnight()
	return refuse(http.StatusTooManyRequests, "too_many_requests", "Client quota exceeded").
		with("Auth0-Client-Quota-Limit", c.quota(client, client.DailyQuota)).
		with("Retry-After", strconv.FormatInt(seconds, 10)).
		with("X-RateLimit-Limit", strconv.Itoa(client.DailyQuota)).
		with("X-RateLimit-Remaining", "0").
		with("X-RateLimit-Reset", strconv.FormatInt(c.clock.Unix()+seconds, 10))
}

func (c *call) secondsToMidnight() int64 { return 86400 - c.clock.Unix()%86400 }
