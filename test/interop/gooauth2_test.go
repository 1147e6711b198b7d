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
	good := exchange.Client{ID: "etl", Secret: hard}
	wrong := exchange.Client{ID: "etl", Secret: "wrong"}
	refused := outcome{Failed: true, Kind: exchange.Rejected, Status: 401, Code: "invalid_client"}

	tests := map[string]struct {
		server server
		req    exchange.Request
		want   outcome
	}{
		"raw basic": {
			basic, exchange.Request{Client: good, AuthMethod: exchange.ClientSecretBasicRaw}, outcome{Lifetime: time.Hour},
		},
		// It takes the credentials as they stand, which RFC 6749 section 2.3.1 has form-encoded.
		"basic, which it does not decode": {
			basic, exchange.Request{Client: good, AuthMethod: exchange.ClientSecretBasic}, refused,
		},
		"post": {
			post, exchange.Request{Client: good, AuthMethod: exchange.ClientSecretPost, Scopes: []string{"read", "write"}},
			outcome{Lifetime: time.Hour, Granted: []string{"read", "write"}},
		},
		"JWT": {
			jwts, exchange.Request{Client: good, AuthMethod: exchange.ClientSecretPost}, outcome{JWT: true, Lifetime: time.Hour},
		},
		"wrong secret": {
			post, exchange.Request{Client: wrong, AuthMethod: exchange.ClientSecretPost}, refused,
		},
		// It takes a client that it does not know for a failure of its own.
		"unknown client": {
			post, exchange.Request{Client: exchange.Client{ID: "another", Secret: hard}, AuthMethod: exchange.ClientSecretPost},
			outcome{Failed: true, Kind: exchange.Unavailable, Status: 500, Code: "server_error"},
		},
		// It reads forms alone, and so finds no grant.
		"JSON": {
			post, exchange.Request{Client: good, AuthMethod: exchange.ClientSecretPost, BodyFormat: exchange.JSON},
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
