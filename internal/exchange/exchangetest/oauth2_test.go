// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"crypto"
	"encoding/base64"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func basicOf(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

func TestOAuth2Methods(t *testing.T) {
	t.Parallel()
	s := start(t, Options{},
		Client{System: OAuth2, ID: "basic", Secret: hard, Auth: AuthBasic, Scopes: []string{"a", "b"}},
		Client{System: OAuth2, ID: "raw", Secret: hard, Auth: AuthBasicRaw},
		Client{System: OAuth2, ID: "post", Secret: hard, Auth: AuthPost},
		Client{System: OAuth2, ID: "json", Secret: hard, Auth: AuthPost, JSON: true},
		Client{System: OAuth2, ID: "any", Secret: hard, PreviousSecret: "before"})
	form := func(authorization string, pairs ...string) ask {
		a := ask{url: s.URL(OAuth2) + "/oauth2/token", kind: "application/x-www-form-urlencoded", body: formOf(append(pairs, "grant_type", "client_credentials")...)}
		if authorization != "" {
			a.header = map[string]string{"Authorization": authorization}
		}
		return a
	}
	encoded := url.QueryEscape(hard)
	for name, a := range map[string]ask{
		"basic":           form(basicOf("basic", encoded)),
		"basic and id":    form(basicOf("basic", encoded), "client_id", "basic"),
		"raw":             form(basicOf("raw", hard)),
		"post":            form("", "client_id", "post", "client_secret", hard),
		"any by basic":    form(basicOf("any", encoded)),
		"any by post":     form("", "client_id", "any", "client_secret", hard),
		"previous secret": form("", "client_id", "any", "client_secret", "before"),
		"json": {url: s.URL(OAuth2) + "/oauth2/token", kind: "application/json; charset=utf-8",
			body: jsonOf(t, map[string]string{"grant_type": "client_credentials", "client_id": "json", "client_secret": hard})},
	} {
		t.Run(name, func(t *testing.T) {
			r := do(t, s, a)
			if r.status != 200 || r.fields["expires_in"] != 3600.0 {
				t.Fatalf("got %d %s", r.status, r.raw)
			}
			verify(t, s, r.text("access_token"))
		})
	}
	refusals(t, s, "error", map[string]refused{
		"basic unencoded":   {form(basicOf("basic", hard)), 401, "invalid_client"},
		"raw encoded":       {form(basicOf("raw", encoded)), 401, "invalid_client"},
		"basic by post":     {form("", "client_id", "basic", "client_secret", hard), 401, "invalid_client"},
		"post by basic":     {form(basicOf("post", encoded)), 401, "invalid_client"},
		"both":              {form(basicOf("any", encoded), "client_id", "any", "client_secret", hard), 400, "invalid_request"},
		"another id":        {form(basicOf("any", encoded), "client_id", "post"), 400, "invalid_request"},
		"none":              {form("", "client_id", "any"), 401, "invalid_client"},
		"bearer":            {form("Bearer x"), 401, "invalid_client"},
		"form for JSON":     {form("", "client_id", "json", "client_secret", hard), 415, "invalid_request"},
		"wrong secret":      {form("", "client_id", "any", "client_secret", "x"), 401, "invalid_client"},
		"trailing newline":  {form("", "client_id", "any", "client_secret", hard+"\n"), 401, "invalid_client"},
		"unknown scope":     {form(basicOf("basic", encoded), "scope", "c"), 400, "invalid_scope"},
		"comma scopes":      {form(basicOf("basic", encoded), "scope", "a,b"), 400, "invalid_scope"},
		"audience":          {form(basicOf("basic", encoded), "audience", "x"), 400, "invalid_target"},
		"resource":          {form(basicOf("basic", encoded), "resource", "https://x"), 400, "invalid_target"},
		"another parameter": {form(basicOf("basic", encoded), "account_id", "x"), 400, "invalid_request"},
		"broken form":       {ask{url: s.URL(OAuth2) + "/oauth2/token", kind: "application/x-www-form-urlencoded", body: "a=%zz"}, 400, "invalid_request"},
		"far too much":      {ask{url: s.URL(OAuth2) + "/oauth2/token", kind: "application/x-www-form-urlencoded", body: "a=" + string(make([]byte, 300<<10))}, 413, "invalid_request"},
		"grant type twice":  {form(basicOf("basic", encoded), "grant_type", "client_credentials"), 400, "invalid_request"},
		"no grant type":     {ask{url: s.URL(OAuth2) + "/oauth2/token", kind: "application/x-www-form-urlencoded", header: map[string]string{"Authorization": basicOf("basic", encoded)}}, 400, "invalid_request"},
	})
	r := do(t, s, form(basicOf("basic", "wrong")))
	if r.header.Get("WWW-Authenticate") != `Basic realm="exchangetest"` {
		t.Errorf("a 401 for Basic must say so (RFC 6749 section 5.2): %v", r.header)
	}
}

func TestOAuth2Registration(t *testing.T) {
	t.Parallel()
	s := start(t, Options{},
		Client{
			System: OAuth2, ID: "id", Secret: hard, Scopes: []string{"a", "b"}, NarrowTo: []string{"b"}, ScopeSeparator: ",",
			Audiences: []string{"https://api.example.com"}, Resources: []string{"https://one.example.com", "https://two.example.com"},
			Parameters: map[string]string{"account_id": "7"}, Headers: map[string]string{"X-Tenant": "t"}, Opaque: true, Lifetime: 2 * time.Hour,
			Response: Response{TokenField: "data.accessToken", ExpiresInField: "data.ttl", Unit: time.Minute},
		},
		Client{System: OAuth2, ID: "silent", Secret: hard, Response: Response{OmitExpiresIn: true}})
	with := func(pairs ...string) ask {
		return ask{
			url: s.URL(OAuth2) + "/oauth2/token", kind: "application/x-www-form-urlencoded", header: map[string]string{"X-Tenant": "t"},
			body: formOf(append(pairs, "grant_type", "client_credentials", "client_id", "id", "client_secret", hard)...),
		}
	}
	r := do(t, s, with("scope", "a,b", "audience", "https://api.example.com", "account_id", "7",
		"resource", "https://one.example.com", "resource", "https://two.example.com"))
	if r.status != 200 || r.text("scope") != "b" || len(r.text("data.accessToken")) < 40 {
		t.Fatalf("got %d %s", r.status, r.raw)
	}
	if data, _ := r.fields["data"].(map[string]any); data["ttl"] != 120.0 {
		t.Errorf("ttl is %v", data["ttl"])
	}
	api := ask{method: "GET", url: s.URL(OAuth2) + "/api?scope=b", header: map[string]string{"Authorization": "Bearer " + r.text("data.accessToken")}}
	if r := do(t, s, api); r.status != 200 {
		t.Errorf("the API answered %d", r.status)
	}
	narrow := do(t, s, api.edited(func(a *ask) { a.url = s.URL(OAuth2) + "/api?scope=a" }))
	if narrow.status != 403 || narrow.header.Get("WWW-Authenticate") != `Bearer error="insufficient_scope"` {
		t.Errorf("the API answered %d %v", narrow.status, narrow.header)
	}
	if !s.Revoke(r.text("data.accessToken")) || s.Revoke("unknown") {
		t.Error("revoke reports the wrong thing")
	}
	if r := do(t, s, api); r.status != 401 || r.header.Get("WWW-Authenticate") != `Bearer error="invalid_token"` {
		t.Errorf("the API answered a revoked token with %d %v", r.status, r.header)
	}

	quiet := do(t, s, ask{
		url: s.URL(OAuth2) + "/oauth2/token", kind: "application/x-www-form-urlencoded",
		body: formOf("grant_type", "client_credentials", "client_id", "silent", "client_secret", hard),
	})
	if _, has := quiet.fields["expires_in"]; quiet.status != 200 || has {
		t.Errorf("got %d %s", quiet.status, quiet.raw)
	}
	complete := []string{"audience", "https://api.example.com", "account_id", "7"}
	refusals(t, s, "error", map[string]refused{
		"no audience":         {with("account_id", "7"), 400, "invalid_target"},
		"another audience":    {with("account_id", "7", "audience", "x"), 400, "invalid_target"},
		"another resource":    {with(append(complete, "resource", "https://three.example.com")...), 400, "invalid_target"},
		"no parameter":        {with("audience", "https://api.example.com"), 400, "invalid_request"},
		"no header":           {with(complete...).edited(func(a *ask) { delete(a.header, "X-Tenant") }), 400, "invalid_request"},
		"spaces for scopes":   {with(append(complete, "scope", "a b")...), 400, "invalid_scope"},
		"a parameter of none": {with(append(complete, "more", "x")...), 400, "invalid_request"},
	})
}

func TestOAuth2PrivateKeyJWT(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	rsaPrivate, ecPrivate := rsaKey(t), ecKey(t)
	s := start(t, Options{Now: func() time.Time { return now }},
		Client{System: OAuth2, ID: "rsa", Auth: AuthPrivateKeyJWT, PublicKey: &rsaPrivate.PublicKey, KeyID: "k1"},
		Client{System: OAuth2, ID: "ec", Auth: AuthPrivateKeyJWT, PublicKey: &ecPrivate.PublicKey})
	endpoint := s.URL(OAuth2) + "/oauth2/token"
	count := 0
	claims := func(id string, change func(map[string]any)) map[string]any {
		count++
		c := map[string]any{"iss": id, "sub": id, "aud": endpoint, "iat": now.Unix() - 5, "exp": now.Unix() + 60, "jti": string(rune('a' + count))}
		change(c)
		return c
	}
	post := func(assertion string, pairs ...string) ask {
		body := url.Values{
			"grant_type":            {"client_credentials"},
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
			"client_assertion":      {assertion},
		}
		for i := 0; i < len(pairs); i += 2 {
			body.Set(pairs[i], pairs[i+1])
		}
		return ask{url: endpoint, kind: "application/x-www-form-urlencoded", body: body.Encode()}
	}
	rsHeader, esHeader := map[string]any{"alg": "RS256", "typ": "JWT", "kid": "k1"}, map[string]any{"alg": "ES256", "typ": "JWT"}
	same := func(map[string]any) {}
	signed := func(key crypto.Signer, header map[string]any, id string, change func(map[string]any)) ask {
		return post(sign(t, key, header, claims(id, change)))
	}
	once := signed(ecPrivate, esHeader, "ec", same)
	for name, a := range map[string]ask{
		"RS256":          signed(rsaPrivate, rsHeader, "rsa", same),
		"ES256":          once,
		"with client_id": post(sign(t, ecPrivate, esHeader, claims("ec", same)), "client_id", "ec"),
		"30 s too late":  signed(ecPrivate, esHeader, "ec", func(c map[string]any) { c["exp"] = now.Unix() - 30 }),
		"without an iat": signed(ecPrivate, esHeader, "ec", func(c map[string]any) { delete(c, "iat") }),
	} {
		if r := do(t, s, a); r.status != 200 {
			t.Errorf("%s: got %d %s", name, r.status, r.raw)
		}
	}
	cut := sign(t, ecPrivate, esHeader, claims("ec", same))
	noKeyID := maps.Clone(rsHeader)
	delete(noKeyID, "kid")
	refusals(t, s, "error", map[string]refused{
		"the same again":        {once, 401, "invalid_client"},
		"no jti":                {signed(ecPrivate, esHeader, "ec", func(c map[string]any) { delete(c, "jti") }), 401, "invalid_client"},
		"expired":               {signed(ecPrivate, esHeader, "ec", func(c map[string]any) { c["exp"] = now.Unix() - 31 }), 401, "invalid_client"},
		"two minutes":           {signed(ecPrivate, esHeader, "ec", func(c map[string]any) { c["exp"] = now.Unix() + 120 }), 401, "invalid_client"},
		"aud the server":        {signed(ecPrivate, esHeader, "ec", func(c map[string]any) { c["aud"] = s.URL(OAuth2) }), 401, "invalid_client"},
		"aud a list":            {signed(ecPrivate, esHeader, "ec", func(c map[string]any) { c["aud"] = []string{endpoint} }), 401, "invalid_client"},
		"another sub":           {signed(ecPrivate, esHeader, "ec", func(c map[string]any) { c["sub"] = "rsa" }), 401, "invalid_client"},
		"no kid":                {signed(rsaPrivate, noKeyID, "rsa", same), 401, "invalid_client"},
		"another key":           {signed(ecKey(t), esHeader, "ec", same), 401, "invalid_client"},
		"cut signature":         {post(cut[:len(cut)-4]), 401, "invalid_client"},
		"algorithm of another":  {signed(ecPrivate, rsHeader, "ec", same), 401, "invalid_client"},
		"another client_id":     {post(sign(t, ecPrivate, esHeader, claims("ec", same)), "client_id", "rsa"), 401, "invalid_client"},
		"another type":          {post(sign(t, ecPrivate, esHeader, claims("ec", same)), "client_assertion_type", "jwt"), 400, "invalid_request"},
		"a secret as well":      {post(sign(t, ecPrivate, esHeader, claims("ec", same)), "client_secret", "x"), 400, "invalid_request"},
		"no assertion":          {ask{url: endpoint, kind: "application/x-www-form-urlencoded", body: "grant_type=client_credentials&client_assertion_type=urn%3Aietf"}, 400, "invalid_request"},
		"for another's account": {post(sign(t, ecPrivate, esHeader, claims("rsa", same))), 401, "invalid_client"},
	})
}

func TestExperiture(t *testing.T) {
	t.Parallel()
	s := start(t, Options{}, Client{System: Experiture, ID: "id", Secret: hard, Scopes: []string{"cdp:records:write", "cdp:records:read"}})
	with := func(pairs ...string) ask {
		return ask{
			url: s.URL(Experiture) + "/public/oauth/token", kind: "application/x-www-form-urlencoded",
			body: formOf(append(pairs, "grant_type", "client_credentials", "client_id", "id", "client_secret", hard)...),
		}
	}
	r := do(t, s, with("scope", "cdp:records:write"))
	if r.status != 200 || r.text("scope") != "cdp:records:write" || len(r.header.Get("X-Correlation-Id")) != 36 {
		t.Fatalf("got %d %v %s", r.status, r.header, r.raw)
	}
	if claims := verify(t, s, r.text("access_token")); claims["scope"] != "cdp:records:write" {
		t.Errorf("claims %v", claims)
	}
	refusals(t, s, "error.code", map[string]refused{
		"wrong secret":  {with().edited(func(a *ask) { a.body = strings.Replace(a.body, "client_secret=s", "client_secret=x", 1) }), 401, "CDP_ETL.AUTH.UNAUTHORIZED"},
		"unknown scope": {with("scope", "cdp:lists:write"), 400, "CDP_ETL.AUTH.INVALID_SCOPE"},
		"comma scopes":  {with("scope", "cdp:records:write,cdp:records:read"), 400, "CDP_ETL.AUTH.INVALID_SCOPE"},
		"an audience":   {with("audience", "x"), 400, "CDP_ETL.AUTH.INVALID_REQUEST"},
		"JSON":          {ask{url: s.URL(Experiture) + "/public/oauth/token", kind: "application/json", body: "{}"}, 415, "CDP_ETL.AUTH.INVALID_REQUEST"},
	})
	failed := do(t, s, ask{method: "GET", url: s.URL(Experiture) + "/api", header: map[string]string{"Authorization": "Bearer x"}})
	want := map[string]any{
		"success": false, "correlationId": failed.header.Get("X-Correlation-Id"),
		"error": map[string]any{
			"code": "CDP_ETL.AUTH.UNAUTHORIZED", "message": "Missing or invalid bearer token.", "details": map[string]any{},
			"remediation": "See the documentation.",
		},
	}
	if diff := cmp.Diff(want, failed.fields); failed.status != 401 || diff != "" {
		t.Errorf("got %d, -want +got:\n%s", failed.status, diff)
	}
	forbidden := do(t, s, ask{
		method: "GET", url: s.URL(Experiture) + "/api?scope=cdp:lists:write", header: map[string]string{"Authorization": "Bearer " + r.text("access_token")},
	})
	if forbidden.status != 403 || forbidden.text("error.code") != "CDP_ETL.AUTH.FORBIDDEN" {
		t.Errorf("got %d %s", forbidden.status, forbidden.raw)
	}
}

func TestBasicAPITakesTheRegisteredPairOnly(t *testing.T) {
	t.Parallel()
	s := start(t, Options{}, Client{System: Basic, ID: "token-id", Secret: hard})
	api := ask{method: "GET", url: s.URL(Basic) + "/api", header: map[string]string{"Authorization": basicOf("token-id", hard)}}
	if r := do(t, s, api); r.status != 200 {
		t.Errorf("got %d %s", r.status, r.raw)
	}
	for name, authorization := range map[string]string{
		"wrong secret": basicOf("token-id", "x"), "unknown id": basicOf("x", hard), "bearer": "Bearer x",
	} {
		if r := do(t, s, api.edited(func(a *ask) { a.header["Authorization"] = authorization })); r.status != 401 {
			t.Errorf("%s: got %d", name, r.status)
		}
	}
}

// TestOneActiveEndsTheTokenBefore: a client's new token ends its own earlier ones, and nobody else's.
func TestOneActiveEndsTheTokenBefore(t *testing.T) {
	t.Parallel()
	s := start(t, Options{},
		Client{System: OAuth2, ID: "one", Secret: hard, Auth: AuthPost, OneActive: true}, Client{System: OAuth2, ID: "many", Secret: hard, Auth: AuthPost})
	token := func(id string) string {
		body := formOf("client_id", id, "client_secret", hard, "grant_type", "client_credentials")
		return do(t, s, ask{url: s.URL(OAuth2) + "/oauth2/token", kind: "application/x-www-form-urlencoded", body: body}).text("access_token")
	}
	tokens := []string{token("one"), token("many"), token("one"), token("many")}
	var live []bool
	for _, value := range tokens {
		known, _ := s.Token(value)
		live = append(live, known.LiveAt(time.Now()))
	}
	if diff := cmp.Diff([]bool{false, true, true, true}, live); diff != "" {
		t.Errorf("which tokens are live, -want +got:\n%s", diff)
	}
}
