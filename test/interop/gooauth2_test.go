// SPDX-License-Identifier: Apache-2.0

package interop

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"
	"github.com/go-oauth2/oauth2/v4/generates"
	"github.com/go-oauth2/oauth2/v4/manage"
	"github.com/go-oauth2/oauth2/v4/models"
	oauth2server "github.com/go-oauth2/oauth2/v4/server"
	"github.com/go-oauth2/oauth2/v4/store"
	"github.com/golang-jwt/jwt/v5"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// startGoOAuth2 serves github.com/go-oauth2/oauth2, whose clients authenticate as handler reads it.
func startGoOAuth2(t *testing.T, handler oauth2server.ClientInfoHandler, access oauth2.AccessGenerate) server {
	t.Helper()
	clients := store.NewClientStore()
	if err := clients.Set("etl", &models.Client{ID: "etl", Secret: hard}); err != nil {
		t.Fatal(err)
	}
	manager := manage.NewDefaultManager()
	manager.MustTokenStorage(store.NewMemoryTokenStore())
	manager.MapClientStorage(clients)
	manager.MapAccessGenerate(access)
	manager.SetClientTokenCfg(&manage.Config{AccessTokenExp: time.Hour})
	authorization := oauth2server.NewDefaultServer(manager)
	authorization.SetClientInfoHandler(handler)
	endpoint := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := authorization.HandleTokenRequest(w, r); err != nil {
			t.Errorf("handle the token request: %v", err)
		}
	}))
	t.Cleanup(endpoint.Close)
	return server{url: endpoint.URL + "/token", rt: endpoint.Client().Transport}
}

func TestGoOAuth2(t *testing.T) {
	t.Parallel()
	basic := startGoOAuth2(t, oauth2server.ClientBasicHandler, generates.NewAccessGenerate())
	post := startGoOAuth2(t, oauth2server.ClientFormHandler, generates.NewAccessGenerate())
	jwts := startGoOAuth2(t, oauth2server.ClientFormHandler, generates.NewJWTAccessGenerate("", []byte(hard), jwt.SigningMethodHS256))
	good := exchange.Values{"clientID": "etl", "clientSecret": hard}
	wrong := exchange.Values{"clientID": "etl", "clientSecret": "wrong"}
	refused := outcome{Failed: true, Kind: exchange.Rejected, Status: 401, Code: "invalid_client"}

	tests := map[string]struct {
		server server
		req    ask
		want   outcome
	}{
		"raw basic": {
			basic, ask{v1alpha1.OAuth2{AuthMethod: "ClientSecretBasicRaw"}, good}, outcome{Lifetime: time.Hour},
		},
		// It uses the credentials as they are, although RFC 6749 section 2.3.1 form-encodes them.
		"basic, which it does not decode": {
			basic, ask{v1alpha1.OAuth2{AuthMethod: "ClientSecretBasic"}, good}, refused,
		},
		"post": {
			post, ask{v1alpha1.OAuth2{AuthMethod: "ClientSecretPost", Scopes: []v1alpha1.Scope{"read", "write"}}, good},
			outcome{Lifetime: time.Hour, Granted: []string{"read", "write"}},
		},
		"JWT": {
			jwts, ask{v1alpha1.OAuth2{AuthMethod: "ClientSecretPost"}, good}, outcome{JWT: true, Lifetime: time.Hour},
		},
		"wrong secret": {
			post, ask{v1alpha1.OAuth2{AuthMethod: "ClientSecretPost"}, wrong}, refused,
		},
		// It treats an unknown client as an internal error.
		"unknown client": {
			post, ask{v1alpha1.OAuth2{AuthMethod: "ClientSecretPost"}, exchange.Values{"clientID": "another", "clientSecret": hard}},
			outcome{Failed: true, Kind: exchange.Unavailable, Status: 500, Code: "server_error"},
		},
		// It parses only forms, so it finds no grant.
		"JSON": {
			post, ask{v1alpha1.OAuth2{AuthMethod: "ClientSecretPost", RequestFormat: "JSON"}, good},
			outcome{Failed: true, Kind: exchange.Rejected, Status: 401, Code: "unsupported_grant_type"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			try(t, test.server, test.req, test.want)
		})
	}
}
