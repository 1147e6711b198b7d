// SPDX-License-Identifier: Apache-2.0

package exchange_test

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// TestAgainstStandIns tries every way with a strict stand-in of its system: a token is got twice, lives as long as the endpoint thinks,
// and is accepted by the API with the headers that we give for it. The endpoint's clock is a little ahead.
func TestAgainstStandIns(t *testing.T) {
	t.Parallel()
	server, err := exchangetest.Start(exchangetest.Options{Behaviour: exchangetest.Behaviour{Lifetime: time.Hour, ClockOffset: 20 * time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	client := exchange.Values{"clientID": "etl", "clientSecret": hard}
	ims := v1alpha1.HTTPSURL(server.URL(exchangetest.Adobe))
	tests := map[string]struct {
		known exchangetest.Client
		req   ask
	}{
		"experiture": {
			exchangetest.Client{System: exchangetest.Experiture, ID: "etl", Secret: hard, Auth: exchangetest.AuthBasic, Scopes: []string{"cdp:records:read"}},
			ask{
				Provider: v1alpha1.Provider{Experiture: &v1alpha1.Experiture{TokenURL: v1alpha1.HTTPSURL(server.TokenURL(exchangetest.Experiture)), Scopes: []v1alpha1.Scope{"cdp:records:read"}}},
				Values:   client,
			},
		},
		"apsis": {
			exchangetest.Client{System: exchangetest.Apsis, ID: "etl", Secret: hard},
			ask{Provider: v1alpha1.Provider{Apsis: &v1alpha1.Apsis{URL: new(v1alpha1.HTTPSURL(server.URL(exchangetest.Apsis)))}}, Values: client},
		},
		"auth0": {
			exchangetest.Client{System: exchangetest.Auth0, ID: "etl", Secret: hard, Audiences: []string{"https://api.example.com"}},
			ask{Provider: v1alpha1.Provider{Auth0: &v1alpha1.Auth0{Domain: strings.TrimPrefix(server.URL(exchangetest.Auth0), "https://"), Audience: "https://api.example.com"}}, Values: client},
		},
		"adobe": {
			exchangetest.Client{System: exchangetest.Adobe, ID: "s2s", Secret: hard, OrganizationID: "ABC@AdobeOrg", Scopes: []string{"openid", "AdobeID"}},
			ask{
				Provider: v1alpha1.Provider{Adobe: &v1alpha1.Adobe{IMSURL: &ims, OrganizationID: "ABC@AdobeOrg", Scopes: []v1alpha1.Scope{"openid", "AdobeID"}}},
				Values:   exchange.Values{"clientID": "s2s", "clientSecret": hard},
			},
		},
		"service account": {
			exchangetest.Client{
				System: exchangetest.Adobe, ID: "jwt", Secret: hard, OrganizationID: "ABC@AdobeOrg", TechnicalAccountID: "X@techacct.adobe.com",
				Metascopes: []string{"ent_dataservices_sdk"}, PublicKey: &rsaKey().PublicKey,
			},
			ask{
				Provider: v1alpha1.Provider{Adobe: &v1alpha1.Adobe{IMSURL: &ims, OrganizationID: "ABC@AdobeOrg", ServiceAccount: &v1alpha1.AdobeServiceAccount{
					TechnicalAccountID: "X@techacct.adobe.com", Metascopes: []v1alpha1.Scope{"ent_dataservices_sdk"},
				}}},
				Values: exchange.Values{"clientID": "jwt", "clientSecret": hard, "privateKey": asPEM(rsaKey())},
			},
		},
		"algonomy": {
			exchangetest.Client{System: exchangetest.Algonomy, ID: "tenant", Secret: "4faeaf752ee40a0f", Resources: []string{"basic"}},
			ask{
				Provider: v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{API: "GDPR", URL: v1alpha1.HTTPSURL(server.URL(exchangetest.Algonomy)), Resources: []v1alpha1.Scope{"basic"}, Validity: &metav1.Duration{Duration: time.Hour}}},
				Values:   exchange.Values{"tenantHash": "tenant", "oauthKeySecret": "4faeaf752ee40a0f"},
			},
		},
		"basic": {
			exchangetest.Client{System: exchangetest.Basic, ID: "id", Secret: hard},
			ask{Provider: v1alpha1.Provider{Basic: &v1alpha1.Basic{}}, Values: exchange.Values{"tokenID": "id", "tokenSecret": hard}},
		},
		"oauth2, an assertion, a JSON body and fields of its own": {
			exchangetest.Client{
				System: exchangetest.OAuth2, ID: "etl", Auth: exchangetest.AuthPrivateKeyJWT, PublicKey: &ecKey().PublicKey, JSON: true, Opaque: true,
				Resources: []string{"https://a.example.com"}, Parameters: map[string]string{"account_id": "7"}, Headers: map[string]string{"X-Tenant": "7"},
				Response: exchangetest.Response{TokenField: "data.token", ExpiresInField: "data.ttl", Unit: time.Millisecond},
			},
			ask{
				Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: v1alpha1.HTTPSURL(server.TokenURL(exchangetest.OAuth2)), AuthMethod: "PrivateKeyJWT", RequestFormat: "JSON", Resources: []string{"https://a.example.com"}, Parameters: map[string]v1alpha1.ParameterValue{"account_id": "7"}, Headers: map[string]v1alpha1.HeaderValue{"X-Tenant": "7"}, Response: &v1alpha1.OAuth2Response{TokenField: "data.token", ExpiresInField: "data.ttl", ExpiresInUnit: "Milliseconds"}}},
				Values:   exchange.Values{"clientID": "etl", "privateKey": asPEM(ecKey())},
			},
		},
	}
	rt := server.HTTPClient().Transport
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			req := test.req.request()
			if err := server.Register(test.known); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				got, err := exchange.Exchanger{Now: time.Now, Rand: rand.Reader}.Exchange(t.Context(), rt, req)
				if err != nil {
					t.Fatal(err)
				}
				if issued, ok := server.Token(string(got.Value)); ok {
					if off := issued.Expires.Sub(got.Life.ExpiresAt).Abs(); off > 5*time.Second {
						t.Errorf("expires %v from when the endpoint thinks", off)
					}
				} else if test.req.Basic == nil {
					t.Error("nobody issued that token")
				}
				verified := exchange.Verify(t.Context(), rt, time.Now, server.APIURL(test.known.System), req.APIHeaders(got.Value, got.Type))
				if diff := cmp.Diff(exchange.VerifyResult{Verdict: exchange.Accepted}, verified); diff != "" {
					t.Errorf("verify: %v", verified.Err)
				}
			}
		})
	}
}
