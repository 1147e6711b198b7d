// SPDX-License-Identifier: Apache-2.0

package flow_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/flow"
)

// TestOfFillsInDefaults: what each provider's spec comes to, its defaults filled in.
func TestOfFillsInDefaults(t *testing.T) {
	t.Parallel()
	algonomyHeaders := []flow.Header{
		{Name: "tenant_hash", Source: flow.Source{Key: "tenantHash"}, Exact: true}, {Name: "oauth_key_secret", Source: flow.Source{Key: "oauthKeySecret"}, Exact: true},
	}
	tests := map[string]struct {
		provider v1alpha1.Provider
		want     flow.Flow // without Keys, Settings, Advice and Deprecated
	}{
		"experiture": {
			v1alpha1.Provider{Experiture: &v1alpha1.Experiture{TokenURL: "https://auth.example.com/t", Scopes: []v1alpha1.Scope{"a:read", "b"}}},
			flow.Flow{
				Provider: "experiture", Kind: "experiture", Address: "https://auth.example.com/t", AddressField: "spec.provider.experiture.tokenURL",
				Hosts: []string{"api.experiture.ai"},
				Issue: &flow.Step{
					URL: "https://auth.example.com/t", ClientAuth: "ClientSecretBasic", GrantType: "client_credentials", Scopes: []string{"a:read", "b"},
					Response: flow.Response{Envelope: "data", TokenField: "access_token", ExpiresInField: "expires_in", ExpiresInUnit: "Seconds", ScopeSeparators: " "},
				},
			},
		},
		"adobe": {
			v1alpha1.Provider{Adobe: &v1alpha1.Adobe{OrganizationID: "ABC@AdobeOrg", SandboxName: "prod", Scopes: []v1alpha1.Scope{"openid"}}},
			flow.Flow{
				Provider: "adobe", Kind: "adobe", Address: "https://ims-na1.adobelogin.com", AddressField: "spec.provider.adobe.imsURL",
				Hosts: []string{"ims-na1.adobelogin.com", "ims-na1-stg1.adobelogin.com", "platform.adobe.io"},
				Issue: &flow.Step{
					URL: "https://ims-na1.adobelogin.com/ims/token/v3", ClientAuth: "ClientSecretPost", GrantType: "client_credentials",
					Scopes: []string{"openid"}, ScopeSeparator: ",",
					Response: flow.Response{TokenField: "access_token", ExpiresInField: "expires_in", ExpiresInUnit: "Seconds", ScopeSeparators: ", "},
				},
				APIHeaders: []flow.Header{
					{Name: "x-api-key", Source: flow.Source{Key: "clientID"}}, {Name: "x-gw-ims-org-id", Source: flow.Source{Value: "ABC@AdobeOrg"}},
					{Name: "x-sandbox-name", Source: flow.Source{Value: "prod"}},
				},
			},
		},
		"adobe with a service account, elsewhere": {
			v1alpha1.Provider{Adobe: &v1alpha1.Adobe{
				IMSURL: new(v1alpha1.HTTPSURL("https://ims.example.com:8443")), OrganizationID: "ABC@AdobeOrg",
				ServiceAccount: &v1alpha1.AdobeServiceAccount{TechnicalAccountID: "X@techacct.adobe.com", Metascopes: []v1alpha1.Scope{"ent_dataservices_sdk"}},
			}},
			flow.Flow{
				Provider: "adobe", Kind: "adobe-service-account", Address: "https://ims.example.com:8443", AddressField: "spec.provider.adobe.imsURL",
				Hosts: []string{"ims-na1.adobelogin.com", "ims-na1-stg1.adobelogin.com", "platform.adobe.io"},
				Issue: &flow.Step{
					URL: "https://ims.example.com:8443/ims/exchange/jwt", ClientAuth: "ClientSecretPost",
					Parameters: []flow.Parameter{{Name: "jwt_token", JWT: &flow.JWT{
						Algorithm: "RS256", Issuer: flow.Source{Value: "ABC@AdobeOrg"}, Subject: flow.Source{Value: "X@techacct.adobe.com"},
						Audience: flow.Source{Value: "https://ims.example.com:8443/c/", Key: "clientID"}, Lifetime: 5 * time.Minute,
						Claims: map[string]any{"https://ims.example.com:8443/s/ent_dataservices_sdk": true},
					}}},
					Response: flow.Response{
						TokenField: "access_token", ExpiresInField: "expires_in", ExpiresInUnit: "Milliseconds", ScopeSeparators: ", ",
						Remarks: []flow.Remark{{
							Status: 500, Code: "internal_error",
							Detail: "the endpoint failed, as it does for a credential that Adobe has moved to OAuth server-to-server",
						}},
					},
				},
				APIHeaders: []flow.Header{
					{Name: "x-api-key", Source: flow.Source{Key: "clientID"}}, {Name: "x-gw-ims-org-id", Source: flow.Source{Value: "ABC@AdobeOrg"}},
				},
			},
		},
		"apsis": {
			v1alpha1.Provider{Apsis: &v1alpha1.Apsis{}},
			flow.Flow{
				Provider: "apsis", Kind: "apsis", Address: "https://api.apsis.one", AddressField: "spec.provider.apsis.url",
				Hosts: []string{"api.apsis.one", "api-apac.apsis.one"},
				Issue: &flow.Step{
					URL: "https://api.apsis.one/oauth/token", Encoding: "JSON", ClientAuth: "ClientSecretPost", GrantType: "client_credentials",
					Response: flow.Response{TokenField: "access_token", ExpiresInField: "expires_in", ExpiresInUnit: "Seconds", ScopeSeparators: " ", ClaimsOnly: true},
				},
			},
		},
		"algonomy": {
			v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{URL: "https://b2b.example.com/x", API: "Profile", Resources: []v1alpha1.Scope{"basic", "segments"}}},
			flow.Flow{
				Provider: "algonomy", Kind: "algonomy", Address: "https://b2b.example.com/x", AddressField: "spec.provider.algonomy.url",
				Issue: &flow.Step{
					URL: "https://b2b.example.com/x/secureApi/token/profile/create", Encoding: "JSON", Headers: algonomyHeaders,
					Parameters: []flow.Parameter{
						{Name: "resource", List: []string{"basic", "segments"}}, {Name: "validity", Source: flow.Source{Value: "15"}, Number: true},
					},
					Response: flow.Response{TokenField: "token", Lifetime: 15 * time.Minute},
				},
				Update: &flow.Step{
					URL: "https://b2b.example.com/x/secureApi/token/profile/update", Encoding: "JSON", Headers: algonomyHeaders,
					Parameters: []flow.Parameter{{Name: "resource", List: []string{"basic", "segments"}}, {Name: "token", CurrentToken: true}},
					Response:   flow.Response{TokenField: "token", Lifetime: 15 * time.Minute},
				},
				APIHeaders:  algonomyHeaders[:1],
				TokenHeader: "access_token",
			},
		},
		"algonomy GDPR": {
			v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{URL: "https://gdpr.example.com", API: "GDPR", Validity: &metav1.Duration{Duration: 5 * time.Hour}}},
			flow.Flow{
				Provider: "algonomy", Kind: "algonomy", Address: "https://gdpr.example.com", AddressField: "spec.provider.algonomy.url",
				Issue: &flow.Step{
					URL: "https://gdpr.example.com/secureApi/token/gdpr/create", Encoding: "JSON", Headers: algonomyHeaders,
					Parameters: []flow.Parameter{{Name: "resource", List: []string{}}, {Name: "validity", Source: flow.Source{Value: "300"}, Number: true}},
					Response:   flow.Response{TokenField: "token", Lifetime: 5 * time.Hour},
				},
				Update: &flow.Step{
					URL: "https://gdpr.example.com/secureApi/token/gdpr/update", Encoding: "JSON", Headers: algonomyHeaders,
					Parameters: []flow.Parameter{{Name: "resource", List: []string{}}, {Name: "token", CurrentToken: true}},
					Response:   flow.Response{TokenField: "token", Lifetime: 5 * time.Hour},
				},
				APIHeaders:  algonomyHeaders[:1],
				TokenHeader: "access_token",
			},
		},
		"auth0": {
			v1alpha1.Provider{Auth0: &v1alpha1.Auth0{Domain: "tenant.example.com:8443", Audience: "https://api.example.com"}},
			flow.Flow{
				Provider: "auth0", Kind: "auth0", Address: "https://tenant.example.com:8443", AddressField: "spec.provider.auth0.domain",
				Issue: &flow.Step{
					URL: "https://tenant.example.com:8443/oauth/token", Encoding: "JSON", ClientAuth: "ClientSecretPost", GrantType: "client_credentials",
					Audience: "https://api.example.com",
					Response: flow.Response{TokenField: "access_token", ExpiresInField: "expires_in", ExpiresInUnit: "Seconds", ScopeSeparators: " "},
				},
			},
		},
		"oauth2": {
			v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: "https://auth.example.com/t"}},
			flow.Flow{
				Provider: "oauth2", Kind: "oauth2", Address: "https://auth.example.com/t", AddressField: "spec.provider.oauth2.tokenURL",
				Issue: &flow.Step{
					URL: "https://auth.example.com/t", Encoding: "Form", ClientAuth: "ClientSecretBasic", GrantType: "client_credentials",
					Response: flow.Response{TokenField: "access_token", ExpiresInField: "expires_in", ExpiresInUnit: "Seconds", ScopeSeparators: " "},
				},
			},
		},
		"oauth2, everything": {
			v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{
				TokenURL: "https://auth.example.com/t", AuthMethod: "PrivateKeyJWT", RequestFormat: "JSON", Scopes: []v1alpha1.Scope{"a"}, ScopeSeparator: ",",
				Audience: "aud", Resources: []string{"urn:x"}, Parameters: map[string]v1alpha1.ParameterValue{"p": "1"}, Headers: map[string]v1alpha1.HeaderValue{"X-H": "2"},
				Response: &v1alpha1.OAuth2Response{TokenField: "data.jwt", ExpiresInField: "data.ttl", ExpiresInUnit: "Minutes"}, DefaultLifetime: &metav1.Duration{Duration: time.Hour},
			}},
			flow.Flow{
				Provider: "oauth2", Kind: "oauth2", Address: "https://auth.example.com/t", AddressField: "spec.provider.oauth2.tokenURL",
				Issue: &flow.Step{
					URL: "https://auth.example.com/t", Encoding: "JSON", ClientAuth: "PrivateKeyJWT", GrantType: "client_credentials",
					Assertion: &flow.JWT{
						Issuer: flow.Source{Key: "clientID"}, Subject: flow.Source{Key: "clientID"}, Audience: flow.Source{Value: "https://auth.example.com/t"},
						Lifetime: time.Minute,
					},
					Scopes: []string{"a"}, ScopeSeparator: ",", Audience: "aud", Resources: []string{"urn:x"},
					Parameters: []flow.Parameter{{Name: "p", Source: flow.Source{Value: "1"}}},
					Headers:    []flow.Header{{Name: "X-H", Source: flow.Source{Value: "2"}}},
					Response: flow.Response{
						TokenField: "data.jwt", ExpiresInField: "data.ttl", ExpiresInUnit: "Minutes", ScopeSeparators: " ,", DefaultLifetime: time.Hour,
					},
				},
			},
		},
		"basic": {
			v1alpha1.Provider{Basic: &v1alpha1.Basic{}},
			flow.Flow{Provider: "basic", Kind: "basic", Static: &flow.BasicCredentials{Username: "tokenID", Password: "tokenSecret"}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := flow.Of(&test.provider, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, cmpopts.IgnoreFields(flow.Flow{}, "Keys", "Settings", "Advice", "Deprecated")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestOfRefuses: what this version does not know has no flow, and someone who reads why knows what to do.
func TestOfRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		provider v1alpha1.Provider
		want     string
	}{
		"no member": {v1alpha1.Provider{}, "spec.provider has no member that this version of the operator knows: upgrade it, or choose another provider"},
		"an API": {
			v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{URL: "https://a.example.com", API: "Audience"}},
			"spec.provider.algonomy.api: this version of the operator does not serve the API: upgrade the operator, or choose another one",
		},
	} {
		if _, err := flow.Of(&test.provider, nil); err == nil || err.Error() != test.want {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestRejectedClientIsToldOfRawBasic: percent-encoding is what a client is told of whose ID and secret travel percent-encoded, and nobody else.
func TestRejectedClientIsToldOfRawBasic(t *testing.T) {
	t.Parallel()
	advice := "if the ID or the secret has characters other than letters and digits, try authMethod ClientSecretBasicRaw, which does not percent-encode them"
	for method, want := range map[v1alpha1.AuthMethod]string{
		"": advice, "ClientSecretBasic": advice, "ClientSecretBasicRaw": "", "ClientSecretPost": "", "PrivateKeyJWT": "",
	} {
		f := flowOf(v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{AuthMethod: method}})
		if f.Advice.Rejected != want {
			t.Errorf("%q: %q, want %q", method, f.Advice.Rejected, want)
		}
	}
}

// TestAssertsIsTrueOfFlowsThatSignAJWT: a flow that sends a JWT of ours depends on the clocks of both sides.
func TestAssertsIsTrueOfFlowsThatSignAJWT(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		provider v1alpha1.Provider
		want     bool
	}{
		"a client assertion": {v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{AuthMethod: "PrivateKeyJWT"}}, true},
		"a service account":  {v1alpha1.Provider{Adobe: &v1alpha1.Adobe{ServiceAccount: &v1alpha1.AdobeServiceAccount{}}}, true},
		"a client secret":    {v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{}}, false},
		"nothing at all":     {v1alpha1.Provider{Basic: &v1alpha1.Basic{}}, false},
	} {
		f := flowOf(test.provider)
		if got := f.Asserts(); got != test.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}
