package exchange_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cdpcredentials/cdp-credential-operator/internal/cdptest"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// TestAgainstStandIns tries every way with a strict stand-in of its system: a token is got twice, lives as long as the endpoint thinks,
// and is accepted by the API with the headers that we give for it. The endpoint's clock is a little ahead.
func TestAgainstStandIns(t *testing.T) {
	t.Parallel()
	server, err := cdptest.Start(cdptest.Options{Behaviour: cdptest.Behaviour{Lifetime: time.Hour, ClockOffset: 20 * time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	client := exchange.Client{ID: "etl", Secret: hard}
	ims := exchange.Request{URL: server.URL(cdptest.Adobe), OrganizationID: "ABC@AdobeOrg"}
	adobe := func(provider exchange.Provider, change func(*exchange.Request)) exchange.Request {
		req := ims
		req.Provider = provider
		change(&req)
		return req
	}
	tests := map[string]struct {
		known cdptest.Client
		req   exchange.Request
	}{
		"experiture": {
			cdptest.Client{System: cdptest.Experiture, ID: "etl", Secret: hard, Auth: cdptest.AuthBasic, Scopes: []string{"cdp:records:read"}},
			exchange.Request{
				Provider: exchange.Experiture, URL: server.TokenURL(cdptest.Experiture), Client: client, Scopes: []string{"cdp:records:read"},
			},
		},
		"apsis": {
			cdptest.Client{System: cdptest.Apsis, ID: "etl", Secret: hard},
			exchange.Request{Provider: exchange.Apsis, URL: server.URL(cdptest.Apsis), Client: client},
		},
		"auth0": {
			cdptest.Client{System: cdptest.Auth0, ID: "etl", Secret: hard, Audiences: []string{"https://api.example.com"}},
			exchange.Request{Provider: exchange.Auth0, URL: server.URL(cdptest.Auth0), Client: client, Audience: "https://api.example.com"},
		},
		"adobe": {
			cdptest.Client{System: cdptest.Adobe, ID: "s2s", Secret: hard, OrganizationID: "ABC@AdobeOrg", Scopes: []string{"openid", "AdobeID"}},
			adobe(exchange.AdobeServerToServer, func(r *exchange.Request) {
				r.Client, r.Scopes = exchange.Client{ID: "s2s", Secret: hard}, []string{"openid", "AdobeID"}
			}),
		},
		"service account": {
			cdptest.Client{
				System: cdptest.Adobe, ID: "jwt", Secret: hard, OrganizationID: "ABC@AdobeOrg", TechnicalAccountID: "X@techacct.adobe.com",
				Metascopes: []string{"ent_dataservices_sdk"}, PublicKey: &rsaKey().PublicKey,
			},
			adobe(exchange.AdobeServiceAccount, func(r *exchange.Request) {
				r.Client = exchange.Client{ID: "jwt", Secret: hard, PrivateKey: asPEM(rsaKey())}
				r.TechnicalAccountID, r.Metascopes = "X@techacct.adobe.com", []string{"ent_dataservices_sdk"}
			}),
		},
		"algonomy": {
			cdptest.Client{System: cdptest.Algonomy, ID: "tenant", Secret: "4faeaf752ee40a0f", Resources: []string{"basic"}},
			exchange.Request{
				Provider: exchange.Algonomy, API: "GDPR", URL: server.URL(cdptest.Algonomy), Resources: []string{"basic"}, Validity: time.Hour,
				Client: exchange.Client{TenantHash: "tenant", OAuthKeySecret: "4faeaf752ee40a0f"},
			},
		},
		"basic": {
			cdptest.Client{System: cdptest.Basic, ID: "id", Secret: hard},
			exchange.Request{Provider: exchange.Basic, Client: exchange.Client{TokenID: "id", TokenSecret: hard}},
		},
		"oauth2, an assertion, a JSON body and fields of its own": {
			cdptest.Client{
				System: cdptest.OAuth2, ID: "etl", Auth: cdptest.AuthPrivateKeyJWT, PublicKey: &ecKey().PublicKey, JSON: true, Opaque: true,
				Resources: []string{"https://a.example.com"}, Parameters: map[string]string{"account_id": "7"}, Headers: map[string]string{"X-Tenant": "7"},
				Response: cdptest.Response{TokenField: "data.token", ExpiresInField: "data.ttl", Unit: time.Millisecond},
			},
			exchange.Request{
				Provider: exchange.OAuth2, URL: server.TokenURL(cdptest.OAuth2), AuthMethod: exchange.PrivateKeyJWT, BodyFormat: exchange.JSON,
				Client: exchange.Client{ID: "etl", PrivateKey: asPEM(ecKey())}, Resources: []string{"https://a.example.com"},
				Parameters: map[string]string{"account_id": "7"}, Headers: map[string]string{"X-Tenant": "7"},
				TokenField: "data.token", ExpiresInField: "data.ttl", ExpiresInUnit: exchange.InMilliseconds,
			},
		},
	}
	rt := server.HTTPClient().Transport
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if err := server.Register(test.known); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				got, err := exchange.Exchanger{Now: time.Now, Rand: rand.Reader}.Exchange(t.Context(), rt, test.req)
				if err != nil {
					t.Fatal(err)
				}
				if issued, ok := server.Token(string(got.Value)); ok {
					if off := issued.Expires.Sub(got.Life.ExpiresAt).Abs(); off > 5*time.Second {
						t.Errorf("expires %v from when the endpoint thinks", off)
					}
				} else if test.req.Provider != exchange.Basic {
					t.Error("nobody issued that token")
				}
				verified := exchange.Verify(t.Context(), rt, time.Now, server.APIURL(test.known.System), test.req.APIHeaders(got.Value, got.Type))
				if diff := cmp.Diff(exchange.VerifyResult{Verdict: exchange.Accepted}, verified); diff != "" {
					t.Errorf("verify: %v", verified.Err)
				}
			}
		})
	}
}
