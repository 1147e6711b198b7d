// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"testing"
	"time"
)

func TestAuth0(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	s := start(t, Options{Now: func() time.Time { return now }},
		Client{System: Auth0, ID: "id", Secret: hard, Audiences: []string{"https://api.example.com"}, Lifetime: 24 * time.Hour, DailyQuota: 2},
		Client{System: Auth0, ID: "other", Secret: hard, Audiences: []string{"https://other.example.com"}})
	with := func(pairs map[string]string) ask {
		fields := map[string]string{
			"grant_type": "client_credentials", "client_id": "id", "client_secret": hard, "audience": "https://api.example.com",
		}
		for name, value := range pairs {
			if value == "" {
				delete(fields, name)
				continue
			}
			fields[name] = value
		}
		return ask{url: s.URL(Auth0) + "/oauth/token", kind: "application/json", body: jsonOf(t, fields)}
	}
	r := do(t, s, with(nil))
	if r.status != 200 || r.fields["expires_in"] != 86400.0 || r.header.Get("Auth0-Client-Quota-Limit") != "b=per_day;q=2;r=1;t=31834" {
		t.Fatalf("got %d %v %s", r.status, r.header, r.raw)
	}
	claims := verify(t, s, r.text("access_token"))
	if claims["aud"] != "https://api.example.com" || claims["exp"] != 1773587366.0 || claims["sub"] != "id@clients" {
		t.Errorf("claims %v", claims)
	}
	refusals(t, s, "error", map[string]refused{
		"wrong secret":     {with(map[string]string{"client_secret": "x"}), 401, "access_denied"},
		"unknown client":   {with(map[string]string{"client_id": "x"}), 401, "access_denied"},
		"unknown audience": {with(map[string]string{"audience": "https://x"}), 403, "access_denied"},
		"no grant":         {with(map[string]string{"audience": "https://other.example.com"}), 403, "access_denied"},
		"no audience":      {with(map[string]string{"audience": ""}), 403, "access_denied"},
		"another grant":    {with(map[string]string{"grant_type": "password"}), 403, "unauthorized_client"},
		"no grant type":    {with(map[string]string{"grant_type": ""}), 400, "invalid_request"},
		"a form":           {ask{url: s.URL(Auth0) + "/oauth/token", kind: "application/x-www-form-urlencoded", body: "client_id=id"}, 415, "invalid_request"},
	})
	if r := do(t, s, with(nil)); r.status != 200 {
		t.Errorf("the second token: got %d", r.status)
	}
	r = do(t, s, with(nil))
	if r.status != 429 || r.text("error") != "too_many_requests" || r.header.Get("Retry-After") != "31834" || r.header.Get("X-RateLimit-Reset") != "1773532800" {
		t.Errorf("past the quota: got %d %v %s", r.status, r.header, r.raw)
	}
	now = now.Add(9 * time.Hour)
	if r := do(t, s, with(nil)); r.status != 200 {
		t.Errorf("the next day: got %d %s", r.status, r.raw)
	}
	r = do(t, s, ask{method: "GET", url: s.URL(Auth0) + "/api"})
	if r.status != 401 || r.header.Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("the API without a token: got %d %v", r.status, r.header)
	}
}
