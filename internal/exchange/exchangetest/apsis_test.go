// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"net/http"
	"testing"
	"time"
)

func apsisAsk(t *testing.T, s *Server) ask {
	t.Helper()
	return ask{
		url:  s.URL(Apsis) + "/oauth/token",
		kind: "application/json",
		body: jsonOf(t, map[string]string{"grant_type": "client_credentials", "client_id": "id", "client_secret": hard}),
	}
}

func TestApsis(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 14, 15, 9, 26, 500, time.UTC)
	s := start(t, Options{Now: func() time.Time { return now }}, Client{
		System: Apsis, ID: "id", Secret: hard, Lifetime: 24 * time.Hour, Response: Response{ExpiresIn: 60},
	})
	asked := apsisAsk(t, s)
	r := do(t, s, asked)
	if r.status != 200 || r.header.Get("Content-Type") != "application/json" || r.text("token_type") != "Bearer" || r.fields["expires_in"] != 60.0 {
		t.Fatalf("got %d %s", r.status, r.raw)
	}
	claims := verify(t, s, r.text("access_token"))
	if claims["exp"] != 1773587366.0 || claims["sub"] != "id" {
		t.Errorf("claims %v", claims)
	}

	api := ask{method: "GET", url: s.URL(Apsis) + "/api", header: map[string]string{"Authorization": "Bearer " + r.text("access_token")}}
	if r := do(t, s, api); r.status != 200 {
		t.Errorf("the API refused the token with %d", r.status)
	}
	now = now.Add(24*time.Hour + time.Second)
	if r := do(t, s, api); r.status != 401 || r.header.Get("Content-Type") != "application/problem+json" || r.text("title") != "Unauthorized" {
		t.Errorf("the API answered an expired token with %d %s", r.status, r.raw)
	}

	with := func(body string) ask { return asked.edited(func(a *ask) { a.body = body }) }
	refusals(t, s, "title", map[string]refused{
		"a form": {asked.edited(func(a *ask) {
			a.kind = "application/x-www-form-urlencoded"
			a.body = formOf("grant_type", "client_credentials", "client_id", "id", "client_secret", hard)
		}), 415, "Unsupported Media Type"},
		"no content type": {asked.edited(func(a *ask) { a.kind = "" }), 415, "Unsupported Media Type"},
		"wrong secret":    {with(`{"grant_type":"client_credentials","client_id":"id","client_secret":"wrong"}`), 401, "Unauthorized"},
		"unknown client":  {with(`{"grant_type":"client_credentials","client_id":"you","client_secret":"wrong"}`), 401, "Unauthorized"},
		"no grant type":   {with(`{"client_id":"id","client_secret":"wrong"}`), 400, "Bad Request"},
		"a scope":         {with(`{"grant_type":"client_credentials","client_id":"id","client_secret":"s","scope":"a"}`), 400, "Bad Request"},
		"a number":        {with(`{"grant_type":"client_credentials","client_id":1,"client_secret":"s"}`), 400, "Bad Request"},
		"key twice":       {with(`{"grant_type":"client_credentials","client_id":"id","client_id":"id","client_secret":"s"}`), 400, "Bad Request"},
		"two objects":     {with(`{"grant_type":"client_credentials"}{}`), 400, "Bad Request"},
		"basic as well":   {asked.edited(func(a *ask) { a.header["Authorization"] = "Basic aWQ6eA==" }), 400, "Bad Request"},
		"a query":         {asked.edited(func(a *ask) { a.url += "?client_id=id" }), 400, "Bad Request"},
		"a GET":           {asked.edited(func(a *ask) { a.method = http.MethodGet }), 405, "Method Not Allowed"},
	})
	if n := s.Issued(Apsis, "id"); n != 1 {
		t.Errorf("issued %d tokens", n)
	}
}
