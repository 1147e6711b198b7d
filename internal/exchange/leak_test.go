// SPDX-License-Identifier: Apache-2.0

package exchange_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// secretive has a different secret in every field that can hold one.
func secretive() (req ask, secrets []string) {
	secret := func(name string) exchange.Secret {
		value := name + "-" + rand.Text()
		secrets = append(secrets, value)
		return exchange.Secret(value)
	}
	return ask{
		Values: exchange.Values{
			"clientID": "etl", "clientSecret": secret("secret"), "privateKey": secret("key"), "privateKeyPassphrase": secret("phrase"), "keyID": "k1",
			"tenantHash": secret("tenant"), "oauthKeySecret": secret("oauth"), "tokenID": "tid", "tokenSecret": secret("token"),
		},
		CurrentToken: secret("held"),
	}, secrets
}

// TestSecretValuesPrintRedacted tries every way in which a value finds its way into a log.
func TestSecretValuesPrintRedacted(t *testing.T) {
	t.Parallel()
	asked, secrets := secretive()
	asked.Provider = v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: "https://a.example.com"}}
	req := asked.request()
	held := exchange.Token{Value: req.CurrentToken, Type: "Bearer"}
	failed := &exchange.Error{Detail: "failed", Cause: fmt.Errorf("the transport quotes %s", string(req.Values["clientSecret"]))}
	for _, value := range []any{
		req, &req, req.Values, &req.Values, req.Values["clientSecret"], held, &held, []exchange.Request{req}, map[string]exchange.Token{"a": held},
		failed, []error{failed}, exchange.VerifyResult{Err: failed}, struct{ Inner exchange.Values }{req.Values}, struct{ Inner *exchange.Token }{&held},
	} {
		var printed bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
			fmt.Fprintf(&printed, verb+"\n", value)
		}
		fmt.Fprintln(&printed, value)
		encoded, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		printed.Write(encoded)
		slog.New(slog.NewJSONHandler(&printed, nil)).Info("x", "value", value)
		slog.New(slog.NewTextHandler(&printed, nil)).Info("x", "value", value)
		for _, secret := range secrets {
			for _, form := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), base64.StdEncoding.EncodeToString([]byte(secret))} {
				if strings.Contains(printed.String(), form) {
					t.Errorf("%T prints %s", value, secret)
				}
			}
		}
	}
}

// TestErrorsRevealNoSecrets has an endpoint answer with all that it was sent and more, in every place that anyone might read.
func TestErrorsRevealNoSecrets(t *testing.T) {
	t.Parallel()
	oauth2 := func(p v1alpha1.OAuth2) v1alpha1.Provider { return v1alpha1.Provider{OAuth2: &p} }
	requests := map[string]struct {
		provider v1alpha1.Provider
		key      any
	}{
		"experiture":      {provider: v1alpha1.Provider{Experiture: &v1alpha1.Experiture{}}},
		"apsis":           {provider: v1alpha1.Provider{Apsis: &v1alpha1.Apsis{}}},
		"auth0":           {provider: v1alpha1.Provider{Auth0: &v1alpha1.Auth0{}}},
		"adobe":           {provider: v1alpha1.Provider{Adobe: &v1alpha1.Adobe{}}},
		"algonomy":        {provider: v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{API: "GDPR"}}},
		"an update":       {provider: v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{API: "Profile"}}},
		"service account": {provider: v1alpha1.Provider{Adobe: &v1alpha1.Adobe{ServiceAccount: &v1alpha1.AdobeServiceAccount{}}}, key: rsaKey()},
		"basic":           {provider: oauth2(v1alpha1.OAuth2{})},
		"raw basic":       {provider: oauth2(v1alpha1.OAuth2{AuthMethod: "ClientSecretBasicRaw"})},
		"post":            {provider: oauth2(v1alpha1.OAuth2{AuthMethod: "ClientSecretPost"})},
		"JSON":            {provider: oauth2(v1alpha1.OAuth2{RequestFormat: "JSON"})},
		"an assertion":    {provider: oauth2(v1alpha1.OAuth2{AuthMethod: "PrivateKeyJWT"}), key: ecKey()},
	}
	const minted = "a-token-that-was-just-minted"
	// Each place gets the same word: whatever was sent, piece by piece.
	bodies := map[string]string{
		"RFC 6749":  `{"error":%q,"error_description":%[1]q,"error_uri":%[1]q,"correlationId":%[1]q}`,
		"envelope":  `{"success":false,"correlationId":%q,"error":{"code":%[1]q,"message":%[1]q}}`,
		"gateway":   `{"error_code":%q,"message":%[1]q}`,
		"a token":   `{"access_token":"` + minted + `","token":"` + minted + `","error":%q,"scope":%[1]q}`,
		"no expiry": `{"access_token":"` + minted + `","scope":%q,"correlationId":"` + minted + `"}`,
		"no JSON":   `%s`,
	}
	for name, test := range requests {
		for shape, body := range bodies {
			for _, status := range []int{200, 401} {
				t.Run(fmt.Sprintf("%s, %s, %d", name, shape, status), func(t *testing.T) {
					t.Parallel()
					req, secrets := secretive()
					req.Provider = test.provider
					req = req.at("https://a.example.com")
					if test.key != nil {
						key := asPEM(test.key)
						req, secrets[1] = req.with(exchange.Values{"privateKey": key}), string(key[40:90]) // a line
					}
					if name != "an update" {
						req, secrets = req.updating(""), secrets[:len(secrets)-1]
					}
					var guarded []string // what must not be shown of the attempt under way
					throwBack := func(i int) (last bool) {
						rt := roundTrip(func(r *http.Request) (*http.Response, error) {
							var words []string
							words, guarded = sent(r, secrets)
							last = i+1 >= len(words)
							header := http.Header{}
							for _, name := range []string{"X-Correlation-Id", "X-Request-Id", "X-Debug-Id", "Retry-After", "Location", "WWW-Authenticate", "Date"} {
								header.Set(name, words[i])
							}
							return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(fmt.Sprintf(body, words[i])))}, nil
						})
						token, err := exchange.Exchanger{Now: clock, Rand: rand.Reader}.Exchange(t.Context(), rt, req.request())
						shown := fmt.Sprint(err, token.Granted)
						if err != nil {
							shown += fmt.Sprintf("%+v %#v", *asError(t, err), *asError(t, err))
						}
						for _, secret := range append(guarded, minted) {
							if strings.Contains(strings.ToLower(shown), strings.ToLower(secret[:min(len(secret), 20)])) {
								t.Errorf("shows %s: %s", secret, shown)
							}
						}
						return last
					}
					for i := 0; !throwBack(i); i++ {
					}
				})
			}
		}
	}
}

// sent takes a request apart: every word of it that an endpoint might throw back. The assertion and the Basic credentials in it are
// secrets, too.
func sent(r *http.Request, secrets []string) (words, all []string) {
	body, _ := io.ReadAll(r.Body)
	plain, _ := url.QueryUnescape(string(body))
	_, basic, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	decoded, _ := base64.StdEncoding.DecodeString(basic)
	whole := fmt.Sprint(r.Header, string(decoded), string(body), plain)
	// A key and its passphrase stay here, so that nobody can throw them back.
	secrets = slices.DeleteFunc(slices.Clone(secrets), func(secret string) bool { return !strings.Contains(whole, secret) })
	words = append(words, secrets...)
	if len(secrets) > 0 {
		words = append(words, "e."+strings.ToUpper(secrets[0])[3:20])
	}
	form, _ := url.ParseQuery(string(body))
	for _, name := range []string{"client_assertion", "jwt_token"} {
		if assertion := form.Get(name); assertion != "" {
			words, secrets = append(words, assertion, assertion[:64], assertion[len(assertion)-64:]), append(secrets, assertion)
		}
	}
	if _, credentials, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok {
		words, secrets = append(words, credentials, credentials[:min(len(credentials), 64)]), append(secrets, credentials)
	}
	return append(words, string(body)), secrets
}
