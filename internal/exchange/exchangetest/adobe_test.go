// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"maps"
	"strings"
	"testing"
	"time"
)

func TestAdobeServerToServer(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 14, 15, 9, 26, 535_000_000, time.UTC)
	s := start(t, Options{Now: func() time.Time { return now }}, Client{
		System: Adobe, ID: "key", Secret: hard, OrganizationID: "ABC@AdobeOrg", Scopes: []string{"openid", "AdobeID"}, Lifetime: 86399 * time.Second,
	})
	form := func(pairs ...string) ask {
		return ask{url: s.URL(Adobe) + "/ims/token/v3", kind: "application/x-www-form-urlencoded", body: formOf(pairs...)}
	}
	asked := form("grant_type", "client_credentials", "client_id", "key", "client_secret", hard, "scope", "openid,AdobeID")
	r := do(t, s, asked)
	if r.status != 200 || r.fields["expires_in"] != 86399.0 || r.text("token_type") != "bearer" {
		t.Fatalf("got %d %s", r.status, r.raw)
	}
	claims := verify(t, s, r.text("access_token"))
	if claims["created_at"] != "1773500966535" || claims["expires_in"] != "86399000" || claims["type"] != "access_token" || claims["client_id"] != "key" {
		t.Errorf("claims %v", claims)
	}
	if _, has := claims["exp"]; has {
		t.Error("an IMS token has no exp")
	}

	api := ask{method: "GET", url: s.URL(Adobe) + "/api", header: map[string]string{
		"Authorization": "Bearer " + r.text("access_token"), "x-api-key": "key", "x-gw-ims-org-id": "ABC@AdobeOrg",
	}}
	if r := do(t, s, api); r.status != 200 {
		t.Errorf("the API answered %d %s", r.status, r.raw)
	}
	refusals(t, s, "error_code", map[string]refused{
		"no token":      {api.edited(func(a *ask) { delete(a.header, "Authorization") }), 403, "403010"},
		"another token": {api.edited(func(a *ask) { a.header["Authorization"] = "Bearer x" }), 401, "401013"},
		"no key":        {api.edited(func(a *ask) { delete(a.header, "x-api-key") }), 403, "403000"},
		"another key":   {api.edited(func(a *ask) { a.header["x-api-key"] = "x" }), 403, "403003"},
		"no org":        {api.edited(func(a *ask) { delete(a.header, "x-gw-ims-org-id") }), 400, "400003"},
		"another org":   {api.edited(func(a *ask) { a.header["x-gw-ims-org-id"] = "x" }), 403, "403025"},
	})
	good := []string{"grant_type", "client_credentials", "client_id", "key", "client_secret", hard}
	refusals(t, s, "error", map[string]refused{
		"spaces between scopes": {form(append(good, "scope", "openid AdobeID")...), 400, "invalid_scope"},
		"another scope":         {form(append(good, "scope", "openid,more")...), 400, "invalid_scope"},
		"no scope":              {form(good...), 400, "invalid_request"},
		"scope twice":           {form(append(good, "scope", "openid", "scope", "AdobeID")...), 400, "invalid_request"},
		"an empty scope":        {form(append(good, "scope", "")...), 400, "invalid_request"},
		"wrong secret":          {form("grant_type", "client_credentials", "client_id", "key", "client_secret", "x", "scope", "openid"), 401, "invalid_client"},
		"unknown client":        {form("grant_type", "client_credentials", "client_id", "x", "client_secret", "x", "scope", "openid"), 400, "invalid_client"},
		"another grant":         {form("grant_type", "password", "client_id", "key", "client_secret", hard, "scope", "openid"), 400, "unsupported_grant_type"},
		"JSON":                  {asked.edited(func(a *ask) { a.kind, a.body = "application/json", "{}" }), 415, "invalid_request"},
		"basic":                 {asked.edited(func(a *ask) { a.header["Authorization"] = "Basic a2V5Ong=" }), 400, "invalid_request"},
	})
}

func TestAdobeServiceAccount(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 14, 15, 9, 26, 535_000_000, time.UTC)
	key := rsaKey(t)
	s := start(t, Options{Now: func() time.Time { return now }},
		Client{
			System: Adobe, ID: "key", Secret: hard, PublicKey: &key.PublicKey, OrganizationID: "ABC@AdobeOrg",
			TechnicalAccountID: "X@techacct.adobe.com", Metascopes: []string{"ent_dataservices_sdk", "ent_other"}, Lifetime: 86399992 * time.Millisecond,
		},
		Client{System: Adobe, ID: "server", Secret: hard, Scopes: []string{"openid"}})
	host := s.URL(Adobe)
	header := map[string]any{"alg": "RS256", "typ": "JWT"}
	good := map[string]any{
		"iss": "ABC@AdobeOrg", "sub": "X@techacct.adobe.com", "aud": host + "/c/key", "iat": now.Unix() - 5, "exp": now.Unix() + 300, "jti": "1",
		host + "/s/ent_dataservices_sdk": true,
	}
	claims := func(change func(map[string]any)) map[string]any {
		c := maps.Clone(good)
		c["jti"] = t.Name() + time.Now().String()
		change(c)
		return c
	}
	post := func(pairs ...string) ask {
		return ask{url: host + "/ims/exchange/jwt", kind: "application/x-www-form-urlencoded", body: formOf(pairs...)}
	}
	withJWT := func(jwt string) ask { return post("client_id", "key", "client_secret", hard, "jwt_token", jwt) }
	with := func(change func(map[string]any)) ask { return withJWT(sign(t, key, header, claims(change))) }

	first := withJWT(sign(t, key, header, good))
	r := do(t, s, first)
	if r.status != 200 || r.fields["expires_in"] != 86399992.0 || r.text("token_type") != "bearer" {
		t.Fatalf("got %d %s", r.status, r.raw)
	}
	if c := verify(t, s, r.text("access_token")); c["created_at"] != "1773500966535" || c["expires_in"] != "86399992" {
		t.Errorf("claims %v", c)
	}
	if r := do(t, s, first); r.status != 400 || r.text("error") != "invalid_jti" {
		t.Errorf("the same assertion again: got %d %s", r.status, r.raw)
	}
	multipart := "--b\r\nContent-Disposition: form-data; name=\"client_id\"\r\n\r\nkey\r\n" +
		"--b\r\nContent-Disposition: form-data; name=\"client_secret\"\r\n\r\n" + hard + "\r\n" +
		"--b\r\nContent-Disposition: form-data; name=\"jwt_token\"\r\n\r\n" + sign(t, key, header, claims(func(map[string]any) {})) + "\r\n--b--\r\n"
	if r := do(t, s, ask{url: host + "/ims/exchange/jwt", kind: "multipart/form-data; boundary=b", body: multipart}); r.status != 200 {
		t.Errorf("multipart: got %d %s", r.status, r.raw)
	}

	refusals(t, s, "error", map[string]refused{
		"no assertion":          {post("client_id", "key", "client_secret", hard), 400, "invalid_token"},
		"no JWT":                {withJWT("nonsense"), 400, "invalid_token"},
		"another key":           {withJWT(sign(t, rsaKey(t), header, claims(func(map[string]any) {}))), 400, "invalid_signature"},
		"another algorithm":     {withJWT(sign(t, key, map[string]any{"alg": "none"}, claims(func(map[string]any) {}))), 400, "invalid_signature"},
		"another type":          {withJWT(sign(t, key, map[string]any{"alg": "RS256", "typ": "at+jwt"}, claims(func(map[string]any) {}))), 400, "invalid_token"},
		"no signature":          {withJWT(strings.Join(strings.Split(sign(t, key, header, good), ".")[:2], ".") + "."), 400, "invalid_signature"},
		"expired":               {with(func(c map[string]any) { c["exp"] = now.Unix() - 31 }), 400, "invalid_token"},
		"too long":              {with(func(c map[string]any) { c["exp"] = now.Unix() + 86400 + 31 }), 400, "invalid_token"},
		"in milliseconds":       {with(func(c map[string]any) { c["exp"] = now.UnixMilli() + 300000 }), 400, "invalid_token"},
		"a fraction":            {with(func(c map[string]any) { c["exp"] = float64(now.Unix()) + 300.5 }), 400, "invalid_token"},
		"a string":              {with(func(c map[string]any) { c["exp"] = "1773501266" }), 400, "invalid_token"},
		"iat in the future":     {with(func(c map[string]any) { c["iat"] = now.Unix() + 31 }), 400, "invalid_token"},
		"audience of another":   {with(func(c map[string]any) { c["aud"] = host + "/c/other" }), 400, "invalid_client"},
		"audience elsewhere":    {with(func(c map[string]any) { c["aud"] = "https://ims-na1.adobelogin.com/c/key" }), 400, "invalid_client"},
		"two audiences":         {with(func(c map[string]any) { c["aud"] = []string{host + "/c/key"} }), 400, "invalid_client"},
		"another issuer":        {with(func(c map[string]any) { c["iss"] = "DEF@AdobeOrg" }), 400, "bad_request"},
		"no subject":            {with(func(c map[string]any) { delete(c, "sub") }), 400, "bad_request"},
		"no metascope":          {with(func(c map[string]any) { delete(c, host+"/s/ent_dataservices_sdk") }), 400, "invalid_scope"},
		"metascope false":       {with(func(c map[string]any) { c[host+"/s/ent_dataservices_sdk"] = false }), 400, "invalid_scope"},
		"metascope not bound":   {with(func(c map[string]any) { c[host+"/s/ent_more"] = true }), 400, "invalid_scope"},
		"metascope elsewhere":   {with(func(c map[string]any) { c["https://ims-na1.adobelogin.com/s/ent_other"] = true }), 400, "invalid_scope"},
		"no jti":                {with(func(c map[string]any) { delete(c, "jti") }), 400, "invalid_jti"},
		"wrong secret":          {post("client_id", "key", "client_secret", "x", "jwt_token", "x"), 401, "invalid_client"},
		"not a service account": {post("client_id", "server", "client_secret", hard, "jwt_token", "x"), 401, "invalid_client"},
		"a grant type":          {post("client_id", "key", "client_secret", hard, "jwt_token", "x", "grant_type", "x"), 400, "invalid_request"},
	})
}
