// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"testing"
	"time"
)

func TestAlgonomy(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	s := start(t, Options{Now: func() time.Time { return now }},
		Client{System: Algonomy, ID: "tenant", Secret: hard, Resources: []string{"basic", "segments"}},
		Client{System: Algonomy, ID: "open"})
	profile := ask{
		url:    s.URL(Algonomy) + "/secureApi/token/profile/create",
		kind:   "application/json",
		header: map[string]string{"tenant_hash": "tenant", "oauth_key_secret": hard},
		body:   `{"resource":["basic"],"validity":300}`,
	}
	r := do(t, s, profile)
	token := r.text("token")
	if r.status != 200 || len(token) < 60 || len(r.fields) != 1 {
		t.Fatalf("got %d %s", r.status, r.raw)
	}
	if known, _ := s.Token(token); !known.Expires.Equal(now.Add(300 * time.Minute)) {
		t.Errorf("expires %v", known.Expires)
	}

	api := ask{method: "GET", url: s.URL(Algonomy) + "/api?scope=basic", header: map[string]string{"access_token": token, "tenant_hash": "tenant"}}
	if r := do(t, s, api); r.status != 200 || r.text("status") != "OK" {
		t.Errorf("the API answered %d %s", r.status, r.raw)
	}
	refusals(t, s, "status", map[string]refused{
		"as a bearer":     {api.edited(func(a *ask) { delete(a.header, "access_token"); a.header["Authorization"] = "Bearer " + token }), 401, "ERROR"},
		"no tenant":       {api.edited(func(a *ask) { delete(a.header, "tenant_hash") }), 401, "ERROR"},
		"another tenant":  {api.edited(func(a *ask) { a.header["tenant_hash"] = "open" }), 401, "ERROR"},
		"without segment": {api.edited(func(a *ask) { a.url = s.URL(Algonomy) + "/api?scope=segments" }), 403, "ERROR"},
	})

	update := profile.edited(func(a *ask) {
		a.url = s.URL(Algonomy) + "/secureApi/token/profile/update"
		a.body = `{"resource":["basic","segments"],"token":"` + token + `"}`
	})
	now = now.Add(299 * time.Minute)
	r = do(t, s, update)
	if r.status != 200 || r.text("token") != token || r.text("message") != "Token updated successfully" {
		t.Errorf("update answered %d %s", r.status, r.raw)
	}
	if r := do(t, s, api.edited(func(a *ask) { a.url = s.URL(Algonomy) + "/api?scope=segments" })); r.status != 200 {
		t.Errorf("the API answered %d after the update", r.status)
	}
	if known, _ := s.Token(token); !known.Expires.Equal(time.Date(2026, 3, 14, 20, 9, 26, 0, time.UTC)) {
		t.Errorf("the update moved the end to %v", known.Expires)
	}

	body := func(a ask, body string) ask { return a.edited(func(a *ask) { a.body = body }) }
	refusals(t, s, "status", map[string]refused{
		"no tenant hash":         {profile.edited(func(a *ask) { delete(a.header, "tenant_hash") }), 401, "ERROR"},
		"unknown tenant":         {profile.edited(func(a *ask) { a.header["tenant_hash"] = "x" }), 401, "ERROR"},
		"no key":                 {profile.edited(func(a *ask) { delete(a.header, "oauth_key_secret") }), 401, "ERROR"},
		"wrong key":              {profile.edited(func(a *ask) { a.header["oauth_key_secret"] = "x" }), 401, "ERROR"},
		"key without OAuth":      {profile.edited(func(a *ask) { a.header["tenant_hash"] = "open" }), 401, "ERROR"},
		"a form":                 {profile.edited(func(a *ask) { a.kind, a.body = "application/x-www-form-urlencoded", "resource=basic" }), 415, "ERROR"},
		"no resource":            {body(profile, `{"validity":300}`), 400, "ERROR"},
		"resource not a list":    {body(profile, `{"resource":"basic"}`), 400, "ERROR"},
		"another resource":       {body(profile, `{"resource":["campaigns"]}`), 403, "ERROR"},
		"validity as a string":   {body(profile, `{"resource":["basic"],"validity":"300"}`), 400, "ERROR"},
		"validity of a fraction": {body(profile, `{"resource":["basic"],"validity":0.5}`), 400, "ERROR"},
		"validity zero":          {body(profile, `{"resource":["basic"],"validity":0}`), 400, "ERROR"},
		"another field":          {body(profile, `{"resource":["basic"],"validty":300}`), 400, "ERROR"},
		"update with validity":   {body(update, `{"resource":["basic"],"token":"`+token+`","validity":300}`), 400, "ERROR"},
		"update of no token":     {body(update, `{"resource":["basic"]}`), 401, "ERROR"},
		"update of another":      {body(update, `{"resource":["basic"],"token":"x"}`), 401, "ERROR"},
		"update at the GDPR API": {update.edited(func(a *ask) { a.url = s.URL(Algonomy) + "/secureApi/token/gdpr/update" }), 401, "ERROR"},
	})
	now = now.Add(time.Minute)
	refusals(t, s, "status", map[string]refused{
		"update of an expired token": {update, 401, "ERROR"},
		"an expired token":           {api, 401, "ERROR"},
	})

	gdpr := do(t, s, ask{
		url: s.URL(Algonomy) + "/secureApi/token/gdpr/create", kind: "application/json",
		header: map[string]string{"tenant_hash": "open"}, body: `{"resource":["registerGdprRequest"]}`,
	})
	if known, _ := s.Token(gdpr.text("token")); gdpr.status != 200 || !known.Expires.Equal(now.Add(15*time.Minute)) {
		t.Errorf("GDPR answered %d %s, expires %v", gdpr.status, gdpr.raw, known.Expires)
	}
	stats := s.Stats()
	if stats.Issued[ClientKey{Algonomy, "tenant"}] != 1 || stats.Updated[ClientKey{Algonomy, "tenant"}] != 1 || stats.TotalIssued() != 2 {
		t.Errorf("counted %v issued, %v updated", stats.Issued, stats.Updated)
	}
}
