// SPDX-License-Identifier: Apache-2.0

package exchange_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// The tests share their keys: an RSA key takes a while.
var (
	rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		return key
	})
	ecKey = sync.OnceValue(func() *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err)
		}
		return key
	})
)

// asPEM is key in PKCS#8.
func asPEM(key any) exchange.Secret {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return exchange.Secret(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func serviceAccount() ask {
	return ask{
		Provider: v1alpha1.Provider{Adobe: &v1alpha1.Adobe{OrganizationID: "ABC@AdobeOrg", ServiceAccount: &v1alpha1.AdobeServiceAccount{TechnicalAccountID: "X@techacct.adobe.com", Metascopes: []v1alpha1.Scope{"ent_dataservices_sdk", "ent_user_sdk"}}}},
		Values:   exchange.Values{"clientID": "etl", "clientSecret": "hunter2-hunter2", "privateKey": asPEM(rsaKey())},
	}
}

func TestServiceAccountAssertion(t *testing.T) {
	t.Parallel()
	endpoint := newStub(t, says(http.StatusOK, `{"token_type":"bearer","access_token":"opaque-token","expires_in":86399992}`))
	req := serviceAccount().at(endpoint.URL).with(exchange.Values{"keyID": "key-1"})
	for range 2 {
		if _, err := endpoint.exchange(t, req); err != nil {
			t.Fatal(err)
		}
	}
	head, form, _ := strings.Cut(endpoint.asked[0], "\n\n")
	want := `POST /ims/exchange/jwt
Accept: application/json
Content-Type: application/x-www-form-urlencoded
User-Agent: cdp-credential-operator`
	if diff := cmp.Diff(want, head); diff != "" {
		t.Error(diff)
	}
	sent, err := url.ParseQuery(form)
	if err != nil {
		t.Fatal(err)
	}
	assertion := sent.Get("jwt_token")
	wantForm := url.Values{"client_id": {"etl"}, "client_secret": {"hunter2-hunter2"}, "jwt_token": {assertion}}
	if diff := cmp.Diff(wantForm, sent); diff != "" {
		t.Error(diff)
	}
	header, claims := verified(t, assertion, &rsaKey().PublicKey)
	if want := `{"alg":"RS256","kid":"key-1","typ":"JWT"}`; header != want {
		t.Errorf("header %s, want %s", header, want)
	}
	host := strings.TrimPrefix(endpoint.URL, "https://") // with the port
	wantClaims := `{"aud":"https://` + host + `/c/etl","exp":1772601062,"https://` + host + `/s/ent_dataservices_sdk":true,"https://` + host +
		`/s/ent_user_sdk":true,"iat":1772600762,"iss":"ABC@AdobeOrg","jti":"JTI","sub":"X@techacct.adobe.com"}`
	if got, _ := withoutJTI(t, claims); got != wantClaims {
		t.Errorf("claims\n%s, want\n%s", got, wantClaims)
	}
	_, form, _ = strings.Cut(endpoint.asked[1], "\n\n")
	again, err := url.ParseQuery(form)
	if err != nil {
		t.Fatal(err)
	}
	_, claimsAgain := verified(t, again.Get("jwt_token"), &rsaKey().PublicKey)
	_, first := withoutJTI(t, claims)
	if _, second := withoutJTI(t, claimsAgain); first == second {
		t.Error("the jti is used twice")
	}
}

func TestClientAssertion(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		private any
		public  crypto.PublicKey
		keyID   exchange.Secret
		aud     string
		header  string
	}{
		"RSA, for the server's issuer": {private: rsaKey(), public: &rsaKey().PublicKey, aud: "https://issuer.example.com", header: `{"alg":"RS256","typ":"JWT"}`},
		"RSA":                          {private: rsaKey(), public: &rsaKey().PublicKey, header: `{"alg":"RS256","typ":"JWT"}`},
		"EC":                           {private: ecKey(), public: &ecKey().PublicKey, keyID: "k1", header: `{"alg":"ES256","kid":"k1","typ":"JWT"}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endpoint := newStub(t, says(http.StatusOK, good))
			req := ask{
				Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: v1alpha1.HTTPSURL(endpoint.URL + "/token"), AuthMethod: "PrivateKeyJWT", Scopes: []v1alpha1.Scope{"read"}, AssertionAudience: test.aud}},
				Values:   exchange.Values{"clientID": "etl", "clientSecret": "not-sent", "privateKey": asPEM(test.private), "keyID": test.keyID},
			}
			aud := test.aud
			if aud == "" {
				aud = endpoint.URL + "/token"
			}
			seen := map[string]bool{}
			for i := range 3 {
				if _, err := endpoint.exchange(t, req); err != nil {
					t.Fatal(err)
				}
				_, form, _ := strings.Cut(endpoint.asked[i], "\n\n")
				sent, err := url.ParseQuery(form)
				if err != nil {
					t.Fatal(err)
				}
				assertion := sent.Get("client_assertion")
				want := url.Values{
					"grant_type":            {"client_credentials"},
					"client_id":             {"etl"},
					"scope":                 {"read"},
					"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
					"client_assertion":      {assertion},
				}
				if diff := cmp.Diff(want, sent); diff != "" {
					t.Error(diff)
				}
				header, claims := verified(t, assertion, test.public)
				if header != test.header {
					t.Errorf("header %s, want %s", header, test.header)
				}
				got, jti := withoutJTI(t, claims)
				if want := `{"aud":"` + aud + `","exp":1772600822,"iat":1772600762,"iss":"etl","jti":"JTI","sub":"etl"}`; got != want {
					t.Errorf("claims\n%s, want\n%s", got, want)
				}
				if seen[jti] || len(jti) != 22 { // 128 bits
					t.Errorf("jti %q", jti)
				}
				seen[jti] = true
			}
			if strings.Contains(strings.Join(endpoint.asked, "\n"), "Authorization") {
				t.Error("two methods of client authentication at once")
			}
		})
	}
}

func TestClientAssertionAsJSON(t *testing.T) {
	t.Parallel()
	endpoint := newStub(t, says(http.StatusOK, good))
	_, err := endpoint.exchange(t, ask{
		Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: v1alpha1.HTTPSURL(endpoint.URL), AuthMethod: "PrivateKeyJWT", RequestFormat: "JSON"}},
		Values:   exchange.Values{"clientID": "etl", "privateKey": asPEM(ecKey())},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"client_id":"etl"`, `"client_assertion_type":"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"`, `"client_assertion":"eyJ`,
	} {
		if !strings.Contains(endpoint.asked[0], want) {
			t.Errorf("%s is not in the request", want)
		}
	}
}

// verified checks the signature and gives the header and the claims as they stand.
func verified(t *testing.T, assertion string, public crypto.PublicKey) (header, claims string) {
	t.Helper()
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	decoded := make([][]byte, 3)
	for i, part := range parts {
		var err error
		if decoded[i], err = base64.RawURLEncoding.DecodeString(part); err != nil {
			t.Fatal(err)
		}
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	switch public := public.(type) {
	case *rsa.PublicKey:
		if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], decoded[2]); err != nil {
			t.Error(err)
		}
	case *ecdsa.PublicKey:
		r, s := new(big.Int).SetBytes(decoded[2][:32]), new(big.Int).SetBytes(decoded[2][32:])
		if !ecdsa.Verify(public, sum[:], r, s) {
			t.Error("the signature is not valid")
		}
	}
	return string(decoded[0]), string(decoded[1])
}

// withoutJTI replaces the jti, which differs every time, by JTI.
func withoutJTI(t *testing.T, claims string) (rest, jti string) {
	t.Helper()
	_, after, found := strings.Cut(claims, `"jti":"`)
	jti, _, closed := strings.Cut(after, `"`)
	if !found || !closed {
		t.Fatalf("no jti in %s", claims)
	}
	return strings.Replace(claims, jti, "JTI", 1), jti
}
