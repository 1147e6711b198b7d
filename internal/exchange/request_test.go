// SPDX-License-Identifier: Apache-2.0

package exchange_test

import (
	"bufio"
	"crypto/rand"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

const good = `{"access_token":"opaque-token","token_type":"Bearer","expires_in":3600}`

// hard is a secret that every encoding on its way would damage if it were forgotten or done twice.
const hard = `p+a/s=s:w%o!r&d ü`

func TestExchangeSendsWhatEachProviderAsksFor(t *testing.T) {
	t.Parallel()
	client := exchange.Values{"clientID": "etl", "clientSecret": hard}
	tests := map[string]struct {
		req    ask
		path   string // what is appended to the stub's address
		answer string
		want   string
	}{
		"experiture": {
			req: ask{
				Provider: v1alpha1.Provider{Experiture: &v1alpha1.Experiture{Scopes: []v1alpha1.Scope{"cdp:records:write", "cdp:records:read"}}},
				Values:   client,
			},
			path: "/oauth2/token?tenant=7",
			want: `POST /oauth2/token?tenant=7
Accept: application/json
Authorization: Basic ZXRsOnAlMkJhJTJGcyUzRHMlM0F3JTI1byUyMXIlMjZkKyVDMyVCQw==
Content-Type: application/x-www-form-urlencoded
User-Agent: cdp-credential-operator

grant_type=client_credentials&scope=cdp%3Arecords%3Awrite+cdp%3Arecords%3Aread`,
		},
		"apsis": {
			req: ask{Provider: v1alpha1.Provider{Apsis: &v1alpha1.Apsis{}}, Values: client},
			want: `POST /oauth/token
Accept: application/json
Content-Type: application/json
User-Agent: cdp-credential-operator

{"client_id":"etl","client_secret":"p+a/s=s:w%o!r&d ü","grant_type":"client_credentials"}
`,
		},
		"auth0": {
			req: ask{Provider: v1alpha1.Provider{Auth0: &v1alpha1.Auth0{Audience: "https://api.example.com"}}, Values: client},
			want: `POST /oauth/token
Accept: application/json
Content-Type: application/json
User-Agent: cdp-credential-operator

{"audience":"https://api.example.com","client_id":"etl","client_secret":"p+a/s=s:w%o!r&d ü","grant_type":"client_credentials"}
`,
		},
		"auth0 without an audience": {
			req: ask{Provider: v1alpha1.Provider{Auth0: &v1alpha1.Auth0{}}, Values: client},
			want: `POST /oauth/token
Accept: application/json
Content-Type: application/json
User-Agent: cdp-credential-operator

{"client_id":"etl","client_secret":"p+a/s=s:w%o!r&d ü","grant_type":"client_credentials"}
`,
		},
		"adobe": {
			req: ask{
				Provider: v1alpha1.Provider{Adobe: &v1alpha1.Adobe{OrganizationID: "ABC@AdobeOrg", SandboxName: "prod", Scopes: []v1alpha1.Scope{"openid", "AdobeID", "read_organizations"}}},
				Values:   client,
			},
			want: `POST /ims/token/v3
Accept: application/json
Content-Type: application/x-www-form-urlencoded
User-Agent: cdp-credential-operator

client_id=etl&client_secret=p%2Ba%2Fs%3Ds%3Aw%25o%21r%26d+%C3%BC&grant_type=client_credentials&scope=openid%2CAdobeID%2Cread_organizations`,
		},
		"algonomy profile": {
			req: ask{
				Provider: v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{API: "Profile", Resources: []v1alpha1.Scope{"basic", "segments"}, Validity: &metav1.Duration{Duration: 300 * time.Minute}}},
				Values:   exchange.Values{"tenantHash": "abcd1234efgh5678", "oauthKeySecret": "4faeaf752ee40a0f"},
			},
			path:   "/b2b",
			answer: `{"token":"opaque-token"}`,
			want: `POST /b2b/secureApi/token/profile/create
Accept: application/json
Content-Type: application/json
Oauth_key_secret: 4faeaf752ee40a0f
Tenant_hash: abcd1234efgh5678
User-Agent: cdp-credential-operator

{"resource":["basic","segments"],"validity":300}
`,
		},
		"algonomy GDPR of a tenant without OAuth, nothing asked for": {
			req: ask{
				Provider: v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{API: "GDPR"}},
				Values:   exchange.Values{"tenantHash": "abcd1234efgh5678"},
			},
			path:   "/",
			answer: `{"token":"opaque-token"}`,
			want: `POST /secureApi/token/gdpr/create
Accept: application/json
Content-Type: application/json
Tenant_hash: abcd1234efgh5678
User-Agent: cdp-credential-operator

{"resource":[],"validity":15}
`,
		},
		"algonomy update": {
			req: ask{
				Provider:     v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{API: "Profile", Resources: []v1alpha1.Scope{"basic"}, Validity: &metav1.Duration{Duration: 300 * time.Minute}}},
				Values:       exchange.Values{"tenantHash": "abcd1234efgh5678", "oauthKeySecret": "4faeaf752ee40a0f"},
				CurrentToken: "opaque-token",
			},
			answer: `{"message":"Token updated successfully","token":"opaque-token"}`,
			want: `POST /secureApi/token/profile/update
Accept: application/json
Content-Type: application/json
Oauth_key_secret: 4faeaf752ee40a0f
Tenant_hash: abcd1234efgh5678
User-Agent: cdp-credential-operator

{"resource":["basic"],"token":"opaque-token"}
`,
		},
		"algonomy GDPR update": {
			req: ask{
				Provider:     v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{API: "GDPR"}},
				Values:       exchange.Values{"tenantHash": "abcd1234efgh5678"},
				CurrentToken: "opaque-token",
			},
			answer: `{"resource":[],"token":"opaque-token"}`,
			want: `POST /secureApi/token/gdpr/update
Accept: application/json
Content-Type: application/json
Tenant_hash: abcd1234efgh5678
User-Agent: cdp-credential-operator

{"resource":[],"token":"opaque-token"}
`,
		},
		"oauth2 basic by default": {
			req:  ask{Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{}}, Values: client},
			path: "/token",
			want: `POST /token
Accept: application/json
Authorization: Basic ZXRsOnAlMkJhJTJGcyUzRHMlM0F3JTI1byUyMXIlMjZkKyVDMyVCQw==
Content-Type: application/x-www-form-urlencoded
User-Agent: cdp-credential-operator

grant_type=client_credentials`,
		},
		"oauth2 raw basic": {
			req:  ask{Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{AuthMethod: "ClientSecretBasicRaw"}}, Values: client},
			path: "/token",
			want: `POST /token
Accept: application/json
Authorization: Basic ZXRsOnArYS9zPXM6dyVvIXImZCDDvA==
Content-Type: application/x-www-form-urlencoded
User-Agent: cdp-credential-operator

grant_type=client_credentials`,
		},
		"oauth2 post": {
			req:  ask{Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{AuthMethod: "ClientSecretPost"}}, Values: client},
			path: "/token",
			want: `POST /token
Accept: application/json
Content-Type: application/x-www-form-urlencoded
User-Agent: cdp-credential-operator

client_id=etl&client_secret=p%2Ba%2Fs%3Ds%3Aw%25o%21r%26d+%C3%BC&grant_type=client_credentials`,
		},
		"oauth2 with everything": {
			req: ask{
				Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{AuthMethod: "ClientSecretPost", Scopes: []v1alpha1.Scope{"read", "write"}, ScopeSeparator: ",", Audience: "https://api.example.com", Resources: []string{"https://a.example.com", "https://b.example.com"}, Parameters: map[string]v1alpha1.ParameterValue{"account_id": "7"}, Headers: map[string]v1alpha1.HeaderValue{"X-Tenant": "seven", "accept": "application/vnd.example+json"}}},
				Values:   client,
			},
			path: "/token",
			want: `POST /token
Accept: application/vnd.example+json
Content-Type: application/x-www-form-urlencoded
User-Agent: cdp-credential-operator
X-Tenant: seven

account_id=7&audience=https%3A%2F%2Fapi.example.com&client_id=etl&client_secret=p%2Ba%2Fs%3Ds%3Aw%25o%21r%26d+%C3%BC&grant_type=client_credentials&resource=https%3A%2F%2Fa.example.com&resource=https%3A%2F%2Fb.example.com&scope=read%2Cwrite`,
		},
		"oauth2 JSON with everything": {
			req: ask{
				Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{AuthMethod: "ClientSecretPost", RequestFormat: "JSON", Scopes: []v1alpha1.Scope{"read", "write"}, ScopeSeparator: ",", Audience: "https://api.example.com", Resources: []string{"https://a.example.com", "https://b.example.com"}, Parameters: map[string]v1alpha1.ParameterValue{"account_id": "7"}, Headers: map[string]v1alpha1.HeaderValue{"x-tenant": "seven"}}},
				Values:   client,
			},
			path: "/token",
			want: `POST /token
Accept: application/json
Content-Type: application/json
User-Agent: cdp-credential-operator
X-Tenant: seven

{"account_id":"7","audience":"https://api.example.com","client_id":"etl","client_secret":"p+a/s=s:w%o!r&d ü","grant_type":"client_credentials","resource":["https://a.example.com","https://b.example.com"],"scope":"read,write"}
`,
		},
		"oauth2 JSON basic": {
			req:  ask{Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{RequestFormat: "JSON"}}, Values: client},
			path: "/token",
			want: `POST /token
Accept: application/json
Authorization: Basic ZXRsOnAlMkJhJTJGcyUzRHMlM0F3JTI1byUyMXIlMjZkKyVDMyVCQw==
Content-Type: application/json
User-Agent: cdp-credential-operator

{"grant_type":"client_credentials"}
`,
		},
		"oauth2 JSON raw basic": {
			req: ask{
				Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{AuthMethod: "ClientSecretBasicRaw", RequestFormat: "JSON"}},
				Values:   client,
			},
			path: "/token",
			want: `POST /token
Accept: application/json
Authorization: Basic ZXRsOnArYS9zPXM6dyVvIXImZCDDvA==
Content-Type: application/json
User-Agent: cdp-credential-operator

{"grant_type":"client_credentials"}
`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.answer == "" {
				test.answer = good
			}
			endpoint := newStub(t, says(http.StatusOK, test.answer))
			got, err := endpoint.exchange(t, test.req.at(endpoint.URL+test.path))
			if err != nil {
				t.Fatalf("exchange: %v", err)
			}
			if got.Value != "opaque-token" {
				t.Errorf("another token than the endpoint gave")
			}
			if diff := cmp.Diff([]string{test.want}, endpoint.asked); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBasicAsksNobody(t *testing.T) {
	t.Parallel()
	got, err := exchange.Exchanger{Now: clock, Rand: rand.Reader}.Exchange(t.Context(), nil, ask{
		Provider: v1alpha1.Provider{Basic: &v1alpha1.Basic{}},
		Values:   exchange.Values{"tokenID": "id", "tokenSecret": "s:t"},
	}.request())
	if err != nil {
		t.Fatal(err)
	}
	want := exchange.Token{Value: "aWQ6czp0", Type: "Basic"} // id:s:t
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestUnknownProviderIsUnsupported(t *testing.T) {
	t.Parallel()
	req := exchange.Request{}
	_, err := exchange.Exchanger{Now: clock, Rand: rand.Reader}.Exchange(t.Context(), nil, req)
	for _, err := range []error{err, req.Check()} {
		if failed := asError(t, err); failed.Kind != exchange.Unsupported {
			t.Errorf("kind %v", failed.Kind)
		}
	}
}

// TestAlgonomyHeadersKeepTheirSpelling reads the wire itself: net/http's server would rewrite the names.
func TestAlgonomyHeadersKeepTheirSpelling(t *testing.T) {
	t.Parallel()
	trusted := httptest.NewTLSServer(nil)
	defer trusted.Close()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", trusted.TLS)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	lines := make(chan []string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		lines <- head(conn)
		_, _ = io.WriteString(conn, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
	}()
	_, err = exchange.Exchanger{Now: clock, Rand: rand.Reader}.Exchange(t.Context(), trusted.Client().Transport, ask{
		Provider: v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{API: "Profile", URL: v1alpha1.HTTPSURL("https://" + listener.Addr().String())}},
		Values:   exchange.Values{"tenantHash": "abcd", "oauthKeySecret": "4fae"},
	}.request())
	if failed := asError(t, err); failed.Kind != exchange.Rejected {
		t.Errorf("kind %v", failed.Kind)
	}
	got := strings.Join(<-lines, "\n")
	for _, want := range []string{"tenant_hash: abcd", "oauth_key_secret: 4fae"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
}

func head(conn net.Conn) []string {
	var lines []string
	for scanner := bufio.NewScanner(conn); scanner.Scan() && scanner.Text() != ""; {
		lines = append(lines, scanner.Text())
	}
	return lines
}
