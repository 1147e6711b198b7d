// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// A bench is where exchanges are tried.
type bench struct {
	*testing.T
	endpoints  *exchangetest.Server
	transports *egress.Transports
	key        *rsa.PrivateKey
}

func newBench(t *testing.T) *bench {
	t.Helper()
	endpoints, err := exchangetest.Start(exchangetest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{T: t, endpoints: endpoints, key: key, transports: &egress.Transports{Policy: egress.Policy{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}}}
	t.Cleanup(func() {
		b.transports.CloseIdleConnections()
		if err := endpoints.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// client registers one, and gives the values of its Secret.
func (b *bench) client(client exchangetest.Client, keys ...string) map[string]string {
	b.Helper()
	client.ID, client.Secret = rand.Text(), rand.Text()
	if err := b.endpoints.Register(client); err != nil {
		b.Fatal(err)
	}
	values := map[string]string{}
	for i, value := range []string{client.ID, client.Secret}[:len(keys)] {
		values[keys[i]] = value
	}
	return values
}

// try makes one exchange, and sees that nothing of what is secret is shown.
func (b *bench) try(provider v1alpha1.Provider, values map[string]string, change ...func(*v1alpha1.CDPCredential, *corev1.Secret)) *Trial {
	b.Helper()
	obj := object(func(obj *v1alpha1.CDPCredential) { obj.Spec.Provider = provider })
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: obj.Namespace, Name: "etl-client", Annotations: map[string]string{"cdpcredentials.io/allowed-hosts": "127.0.0.1", "cdpcredentials.io/allow-basic": "true"}},
		Data:       map[string][]byte{"ca.crt": b.endpoints.CABundle()},
	}
	for key, value := range values {
		secret.Data[key] = []byte(value)
	}
	for _, f := range change {
		f(obj, secret)
	}
	trial := tryExchange(b.Context(), Environment{Now: time.Now}, obj, secret, credential.Policy{}, b.transports)
	content, err := json.Marshal(trial)
	if err != nil {
		b.Fatal(err)
	}
	p := &page{}
	p.trial(trial, time.Now())
	shown := string(content) + p.String()
	for _, needle := range b.endpoints.Secrets() {
		if strings.Contains(shown, needle) {
			b.Fatalf("a secret is shown: %s", needle)
		}
	}
	for key, value := range values {
		if strings.Contains(shown, value) {
			b.Errorf("the value of %s is shown", key)
		}
	}
	for line := range strings.Lines(p.String()) {
		if len([]rune(strings.TrimSuffix(line, "\n"))) > columns && strings.Contains(strings.TrimSpace(line), " ") {
			b.Errorf("too wide: %s", line)
		}
	}
	return trial
}

func TestTryEachProvider(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	pemKey := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(b.key)}))
	https := func(system exchangetest.System) v1alpha1.HTTPSURL { return v1alpha1.HTTPSURL(b.endpoints.URL(system)) }
	signed := b.client(exchangetest.Client{System: exchangetest.OAuth2, Auth: exchangetest.AuthPrivateKeyJWT, PublicKey: &b.key.PublicKey}, "client-id")
	signed["private-key"] = pemKey
	for name, test := range map[string]struct {
		provider v1alpha1.Provider
		values   map[string]string
		body     []string // names of what is sent
	}{
		"adobe": {
			v1alpha1.Provider{Adobe: &v1alpha1.Adobe{OrganizationID: "A@AdobeOrg", IMSURL: new(https(exchangetest.Adobe)), Scopes: []v1alpha1.Scope{"openid"}}},
			b.client(exchangetest.Client{System: exchangetest.Adobe, OrganizationID: "A@AdobeOrg", Scopes: []string{"openid"}}, "client-id", "client-secret"),
			[]string{"client_id", "client_secret", "grant_type", "scope"},
		},
		"algonomy": {
			v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{URL: https(exchangetest.Algonomy), API: "Profile", Resources: []v1alpha1.Scope{"basic"}}},
			b.client(exchangetest.Client{System: exchangetest.Algonomy}, "tenant-hash", "oauth-key-secret"), nil,
		},
		"apsis": {
			v1alpha1.Provider{Apsis: &v1alpha1.Apsis{URL: new(https(exchangetest.Apsis))}},
			b.client(exchangetest.Client{System: exchangetest.Apsis}, "client-id", "client-secret"), []string{"client_id", "client_secret", "grant_type"},
		},
		"auth0": {
			v1alpha1.Provider{Auth0: &v1alpha1.Auth0{Domain: b.endpoints.Host(exchangetest.Auth0), Audience: "https://api.example.com"}},
			b.client(exchangetest.Client{System: exchangetest.Auth0, Audiences: []string{"https://api.example.com"}}, "client-id", "client-secret"),
			[]string{"audience", "client_id", "client_secret", "grant_type"},
		},
		"experiture": {
			v1alpha1.Provider{Experiture: &v1alpha1.Experiture{TokenURL: v1alpha1.HTTPSURL(b.endpoints.TokenURL(exchangetest.Experiture))}},
			b.client(exchangetest.Client{System: exchangetest.Experiture}, "client-id", "client-secret"), nil,
		},
		"oauth2": {
			v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: v1alpha1.HTTPSURL(b.endpoints.TokenURL(exchangetest.OAuth2))}},
			b.client(exchangetest.Client{System: exchangetest.OAuth2}, "client-id", "client-secret"), []string{"grant_type"},
		},
		"oauth2 with a parameter": {
			v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{
				TokenURL: v1alpha1.HTTPSURL(b.endpoints.TokenURL(exchangetest.OAuth2)), Parameters: map[string]v1alpha1.ParameterValue{"tenant": "tenant-secret"},
				Headers: map[string]v1alpha1.HeaderValue{"X-Key": "header-secret"}, RequestFormat: "JSON", AuthMethod: "ClientSecretPost",
			}},
			b.client(exchangetest.Client{System: exchangetest.OAuth2, JSON: true, Parameters: map[string]string{"tenant": "tenant-secret"}}, "client-id", "client-secret"),
			[]string{"client_id", "client_secret", "grant_type", "tenant"},
		},
		"oauth2 with a private key": {
			v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: v1alpha1.HTTPSURL(b.endpoints.TokenURL(exchangetest.OAuth2)), AuthMethod: "PrivateKeyJWT"}},
			signed, []string{"client_assertion", "client_assertion_type", "client_id", "grant_type"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := b.try(test.provider, test.values)
			if got.Token == nil || got.Token.Expires == nil || got.Token.Renewal == nil || got.Answer == nil || got.Answer.Status != 200 {
				t.Fatalf("no token: %+v", got)
			}
			content, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			for _, needle := range []string{"tenant-secret", "header-secret"} {
				if strings.Contains(string(content), needle) {
					t.Errorf("%s is shown", needle)
				}
			}
			var names []string
			for _, part := range got.Request.Body {
				names = append(names, part.Name)
			}
			if test.body != nil && !cmp.Equal(test.body, names) {
				t.Errorf("sent %v, not %v", names, test.body)
			}
		})
	}
	if got := b.try(v1alpha1.Provider{Basic: &v1alpha1.Basic{}}, map[string]string{"token-id": "basic-id-value", "token-secret": "basic-secret-value"}); got.Token == nil || got.Request != nil {
		t.Errorf("basic: %+v", got)
	}
}

func TestTryShowsRequestAndAnswer(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	values := b.client(exchangetest.Client{System: exchangetest.OAuth2, Scopes: []string{"a", "b"}}, "client-id", "client-secret")
	trial := b.try(v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: v1alpha1.HTTPSURL(b.endpoints.TokenURL(exchangetest.OAuth2)), Scopes: []v1alpha1.Scope{"a", "b"}}}, values)
	trial.Token.Expires, trial.Token.Renewal, trial.Token.Lifetime = inP(time.Hour), inP(40*time.Minute), "1h0m0s"
	p := &page{}
	p.trial(trial, now)
	golden(t, "try/oauth2.txt", strings.ReplaceAll(p.String(), b.endpoints.Host(exchangetest.OAuth2), "127.0.0.1:44444"))
}

func TestTryObeysConsent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	values := b.client(exchangetest.Client{System: exchangetest.OAuth2}, "client-id", "client-secret")
	provider := v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: v1alpha1.HTTPSURL(b.endpoints.TokenURL(exchangetest.OAuth2))}}
	for name, test := range map[string]struct {
		change func(*v1alpha1.CDPCredential, *corev1.Secret)
		reason string
		sent   bool
	}{
		"no consent": {func(_ *v1alpha1.CDPCredential, secret *corev1.Secret) { secret.Annotations = nil }, "HostNotAllowed", false},
		"of a target": {func(_ *v1alpha1.CDPCredential, secret *corev1.Secret) {
			secret.Annotations["cdpcredentials.io/credential"] = "web"
		}, "SecretNotAllowed", false},
		"a CA": {func(obj *v1alpha1.CDPCredential, _ *corev1.Secret) {
			obj.Spec.TLS = &v1alpha1.TLS{CABundle: b.endpoints.CABundle()}
		}, "CANotAllowed", false},
		"a missing key": {func(_ *v1alpha1.CDPCredential, secret *corev1.Secret) { delete(secret.Data, "client-secret") }, "SecretKeyMissing", false},
		"wrong value": {func(_ *v1alpha1.CDPCredential, secret *corev1.Secret) {
			secret.Data["client-secret"] = []byte("something-else")
		}, "CredentialsRejected", true},
		"unknown CA": {func(_ *v1alpha1.CDPCredential, secret *corev1.Secret) { delete(secret.Data, "ca.crt") }, "EndpointUnavailable", true},
		"private address": {func(obj *v1alpha1.CDPCredential, secret *corev1.Secret) {
			obj.Spec.Provider.OAuth2 = &v1alpha1.OAuth2{TokenURL: "https://10.0.0.1/token"}
			secret.Annotations["cdpcredentials.io/allowed-hosts"] = "10.0.0.1"
		}, "EndpointRefused", true},
		"nothing to be of": {func(obj *v1alpha1.CDPCredential, _ *corev1.Secret) { obj.Spec.Provider = v1alpha1.Provider{} }, "InvalidSpec", false},
	} {
		t.Run(name, func(t *testing.T) {
			got := b.try(*provider.DeepCopy(), values, test.change)
			if got.Token != nil || got.Reason != test.reason || got.Message == "" || (got.Request != nil) != test.sent {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestTryOfAnEndpointThatEchoes: whatever an endpoint makes of what it was sent, and wherever it puts the token, no secret is shown.
func TestTryOfAnEndpointThatEchoes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	values := b.client(exchangetest.Client{System: exchangetest.OAuth2}, "client-id", "client-secret")
	b.endpoints.SetBehaviour(exchangetest.Behaviour{Fault: func(exchangetest.Request) *exchangetest.Fault {
		return &exchangetest.Fault{Edit: func(answer map[string]any) {
			token := fmt.Sprint(answer["access_token"])
			answer[values["client-secret"]] = 1
			answer[token] = "the token as a name"
			answer["nested"] = map[string]any{"again " + token: []any{values["client-id"]}, "deep": map[string]any{"deeper": map[string]any{"deepest": map[string]any{values["client-id"]: 1}}}}
			answer["scope"] = "read " + values["client-secret"]
			answer["token_type"] = "Bearer"
			answer["\x1b[31m"] = true
		}}
	}})
	got := b.try(v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: v1alpha1.HTTPSURL(b.endpoints.TokenURL(exchangetest.OAuth2))}}, values)
	if got.Token == nil {
		t.Fatalf("no token: %+v", got)
	}
	content, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(string(content), "\x1b") || !strings.Contains(string(content), redacted) {
		t.Errorf("%s", content)
	}
}

func TestTryRefusesOneActive(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/object.yaml"
	content := "apiVersion: cdpcredentials.io/v1alpha1\nkind: CDPCredential\nmetadata: {name: etl}\nspec:\n  provider: {apsis: {}}\n  clientSecretRef: {name: c}\n" +
		"  target: {name: t}\n  refresh: {issuance: OneActive}\n"
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	a := run(t, "", "try", "-f", file)
	if a.code != 2 || !strings.Contains(a.err, "--force") {
		t.Errorf("exit code %d: %s", a.code, a.err)
	}
}
