// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// TestEveryProviderFillsItsTarget applies a manifest of each provider and checks the whole target Secret.
func TestEveryProviderFillsItsTarget(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		client exchangetest.Client // its ID and secret are put into the Secret, unless secret is set
		secret map[string]string
		spec   string // provider and related fields; $URL and $HOST are the stand-in's
		// want is the data besides token.
		want map[string]string
		// basic is set for the provider without token and expiry.
		basic bool
	}{
		"experiture": {
			client: exchangetest.Client{System: exchangetest.Experiture, ID: "exp-1", Secret: random(), Auth: exchangetest.AuthBasic, Scopes: []string{"cdp:records:write", "cdp:records:read"}},
			spec:   `{provider: {experiture: {tokenURL: "$URL/public/oauth/token", scopes: ["cdp:records:write"]}}}`,
			want:   map[string]string{},
		},
		"apsis": {
			client: exchangetest.Client{System: exchangetest.Apsis, ID: "apsis-1", Secret: random()},
			spec:   `{provider: {apsis: {url: "$URL"}}}`,
			want:   map[string]string{},
		},
		"oauth2 with basic and a form": {
			client: exchangetest.Client{System: exchangetest.OAuth2, ID: "a:b c", Secret: random(), Auth: exchangetest.AuthBasic, Scopes: []string{"x", "y"}},
			spec:   `{provider: {oauth2: {tokenURL: "$URL/oauth2/token", scopes: [x, "y"]}}}`,
			want:   map[string]string{},
		},
		"oauth2 with raw basic and JSON": {
			client: exchangetest.Client{System: exchangetest.OAuth2, ID: "raw-1", Secret: random(), Auth: exchangetest.AuthBasicRaw, JSON: true},
			spec:   `{provider: {oauth2: {tokenURL: "$URL/oauth2/token", authMethod: ClientSecretBasicRaw, requestFormat: JSON}}}`,
			want:   map[string]string{},
		},
		"oauth2 with post and a form, all options": {
			client: exchangetest.Client{
				System: exchangetest.OAuth2, ID: "post-1", Secret: random(), Auth: exchangetest.AuthPost, Scopes: []string{"x", "y"}, ScopeSeparator: ",",
				Audiences: []string{"https://api.example.com"}, Resources: []string{"https://a.example.com", "https://b.example.com"},
				Parameters: map[string]string{"account_id": "7"}, Headers: map[string]string{"X-Tenant": "seven"}, Opaque: true,
				Response: exchangetest.Response{TokenField: "data.accessToken", ExpiresInField: "data.ttl", Unit: time.Minute},
			},
			spec: `
provider:
  oauth2:
    tokenURL: $URL/oauth2/token
    authMethod: ClientSecretPost
    scopes: [x, "y"]
    scopeSeparator: ","
    audience: https://api.example.com
    resources: [https://a.example.com, https://b.example.com]
    parameters: {account_id: "7"}
    headers: {x-tenant: seven}
    response: {tokenField: data.accessToken, expiresInField: data.ttl, expiresInUnit: Minutes}
clientSecretRef: {keys: {clientID: user, clientSecret: pass.word}}
target:
  labels: {team: etl}
  annotations: {owner: for tests}
  data:
    authorization: "Bearer {{ .token }}"
    netrc: "login {{ .clientID }} password {{ index .headers \"Authorization\" | b64enc }} until {{ .expiresAt }}"
    scopes: '{{ join "+" .scopes }}/{{ .tokenType | lower }}'
`,
			secret: map[string]string{"user": "post-1\n", "pass.word": "$SECRET\n"},
			want: map[string]string{
				"authorization": "Bearer $TOKEN", "netrc": "login post-1 password $BEARER until $EXPIRY", "scopes": "x+y/bearer",
			},
		},
		"oauth2 with post and JSON": {
			client: exchangetest.Client{System: exchangetest.OAuth2, ID: "json-1", Secret: random(), Auth: exchangetest.AuthPost, JSON: true},
			spec:   `{provider: {oauth2: {tokenURL: "$URL/oauth2/token", authMethod: ClientSecretPost, requestFormat: JSON}}}`,
			want:   map[string]string{},
		},
		"oauth2 with a private key": {
			client: exchangetest.Client{System: exchangetest.OAuth2, ID: "key-1", Auth: exchangetest.AuthPrivateKeyJWT, PublicKey: ecKey.Public(), KeyID: "k1"},
			secret: map[string]string{"client-id": "key-1", "private-key": pkcs8(t, ecKey), "key-id": "k1"},
			spec:   `{provider: {oauth2: {tokenURL: "$URL/oauth2/token", authMethod: PrivateKeyJWT}}}`,
			want:   map[string]string{},
		},
		"adobe": {
			client: exchangetest.Client{System: exchangetest.Adobe, ID: "adobe-1", Secret: random(), OrganizationID: "ABC@AdobeOrg", Scopes: []string{"openid", "AdobeID"}},
			spec:   `{provider: {adobe: {organizationID: ABC@AdobeOrg, imsURL: "$URL", sandboxName: prod, scopes: [openid, AdobeID]}}}`,
			want:   map[string]string{"x-api-key": "adobe-1", "x-gw-ims-org-id": "ABC@AdobeOrg", "x-sandbox-name": "prod"},
		},
		"adobe with a service account": {
			client: exchangetest.Client{
				System: exchangetest.Adobe, ID: "adobe-2", Secret: random(), OrganizationID: "ABC@AdobeOrg", TechnicalAccountID: "X@techacct.adobe.com",
				Metascopes: []string{"ent_dataservices_sdk"}, PublicKey: rsaKey.Public(),
			},
			secret: map[string]string{"client-id": "adobe-2", "client-secret": "$SECRET", "private-key": pkcs8(t, rsaKey)},
			spec: `{provider: {adobe: {organizationID: ABC@AdobeOrg, imsURL: "$URL",
  serviceAccount: {technicalAccountID: X@techacct.adobe.com, metascopes: [ent_dataservices_sdk]}}}}`,
			want: map[string]string{"x-api-key": "adobe-2", "x-gw-ims-org-id": "ABC@AdobeOrg"},
		},
		"algonomy for profiles": {
			client: exchangetest.Client{System: exchangetest.Algonomy, ID: "tenant-" + rand.Text(), Secret: random()},
			secret: map[string]string{"tenant-hash": "$ID", "oauth-key-secret": "$SECRET"},
			spec:   `{provider: {algonomy: {url: "$URL", api: Profile, resources: [basic, segments], validity: 300m}}}`,
			want:   map[string]string{"tenant_hash": "$ID"},
		},
		"algonomy for GDPR, without OAuth": {
			client: exchangetest.Client{System: exchangetest.Algonomy, ID: "tenant-" + rand.Text()},
			secret: map[string]string{"tenant-hash": "$ID"},
			spec:   `{provider: {algonomy: {url: "$URL", api: GDPR, resources: [registerGdprRequest]}}, target: {data: {header: "{{ .headers.access_token }}"}}}`,
			want:   map[string]string{"tenant_hash": "$ID", "header": "$TOKEN"},
		},
		"auth0": {
			client: exchangetest.Client{System: exchangetest.Auth0, ID: "auth0-1", Secret: random(), Audiences: []string{"https://api.fyma.ai"}, Scopes: []string{"read:all"}},
			spec:   `{provider: {auth0: {domain: $HOST, audience: "https://api.fyma.ai"}}}`,
			want:   map[string]string{},
		},
		"basic": {
			client: exchangetest.Client{System: exchangetest.Basic, ID: "token-id-1", Secret: random()},
			secret: map[string]string{"token-id": "token-id-1", "token-secret": "$SECRET"},
			spec:   `{provider: {basic: {}}}`,
			want:   map[string]string{"username": "token-id-1", "password": "$SECRET", "authorization": "Basic $BASIC"},
			basic:  true,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.must(s.endpoints.Register(test.client))
			known := map[string]string{
				"ID": test.client.ID, "SECRET": test.client.Secret, "URL": s.endpoints.URL(test.client.System), "HOST": s.endpoints.Host(test.client.System),
				"BASIC": base64.StdEncoding.EncodeToString([]byte(test.client.ID + ":" + test.client.Secret)),
			}
			fill := func(text string) string { return os.Expand(text, func(name string) string { return known[name] }) }
			data := map[string]string{"client-id": test.client.ID, "client-secret": test.client.Secret}
			if test.secret != nil {
				data = map[string]string{}
				for key, value := range test.secret {
					data[key] = fill(value)
				}
			}
			s.createSecret("client", data, s.allowed())
			obj := &v1alpha1.CDPCredential{ObjectMeta: s.meta("etl")}
			obj.Labels, obj.Annotations = map[string]string{"argocd.argoproj.io/instance": "app"}, map[string]string{"argocd.argoproj.io/tracking-id": "app"}
			s.must(yaml.UnmarshalStrict([]byte(fill(test.spec)), &obj.Spec))
			obj.Spec.ClientSecretRef.Name, obj.Spec.Target.Name = "client", "etl-token"
			obj.Spec.TLS = &v1alpha1.TLS{CABundle: s.endpoints.CABundle()}
			s.must(s.Client.Create(t.Context(), obj))

			s.until(patience, "a token", func() error {
				s.must(s.Client.Get(t.Context(), client.ObjectKeyFromObject(obj), obj))
				return is(obj, "Ready", metav1.ConditionTrue, "TokenValid")
			})
			target := s.secretOf("etl-token")
			want := map[string]string{}
			if !test.basic {
				known["EXPIRY"] = target.Annotations["cdpcredentials.io/expires-at"]
				known["TOKEN"] = s.checkExpiry(obj, known["EXPIRY"])
				known["BEARER"] = base64.StdEncoding.EncodeToString([]byte("Bearer " + known["TOKEN"]))
				want["token"] = known["TOKEN"]
			}
			for key, value := range test.want {
				want[key] = fill(value)
			}
			labels := map[string]string{"app.kubernetes.io/managed-by": "cdp-credential-operator"}
			annotations := []string{"cdpcredentials.io/credential", "cdpcredentials.io/expires-at", "cdpcredentials.io/state"}
			switch {
			case test.basic:
				annotations = []string{"cdpcredentials.io/credential", "cdpcredentials.io/state"}
			case len(obj.Spec.Target.Labels) > 0:
				labels["team"] = "etl"
				annotations = append(annotations, "owner")
			}
			data = map[string]string{}
			for key, value := range target.Data {
				data[key] = string(value)
			}
			if diff := cmp.Diff(want, data); diff != "" {
				t.Errorf("data (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(labels, target.Labels); diff != "" {
				t.Errorf("labels (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(annotations, slices.Sorted(maps.Keys(target.Annotations))); diff != "" {
				t.Errorf("annotations (-want +got):\n%s", diff)
			}
			if target.Annotations["cdpcredentials.io/credential"] != "etl" {
				t.Errorf("the Secret names %q as its credential", target.Annotations["cdpcredentials.io/credential"])
			}
			owners := []metav1.OwnerReference{{APIVersion: "cdpcredentials.io/v1alpha1", Kind: "CDPCredential", Name: "etl", UID: obj.UID, Controller: new(true)}}
			if diff := cmp.Diff(owners, target.OwnerReferences); diff != "" {
				t.Errorf("owners (-want +got):\n%s", diff)
			}
			if target.Type != corev1.SecretTypeOpaque {
				t.Errorf("the Secret's type is %s", target.Type)
			}
			checkStatus(t, obj, strings.Fields(name)[0], test.basic)
		})
	}
}

// checkExpiry returns the only issued token, and requires that its expiry is reported correctly: to the second, and not too late.
func (s *stage) checkExpiry(obj *v1alpha1.CDPCredential, annotation string) string {
	s.Helper()
	tokens := s.endpoints.Tokens()
	if len(tokens) != 1 {
		s.Fatalf("%d tokens were issued, want one", len(tokens))
	}
	said, err := time.Parse(time.RFC3339, annotation)
	s.must(err)
	if early := tokens[0].Expires.Sub(said); early < -time.Millisecond || early > 3*time.Second {
		s.Errorf("expires-at is %s before the token's expiry", early)
	}
	if at := obj.Status.TokenExpirationTime; at == nil || !at.Time.Equal(said) {
		s.Errorf("tokenExpirationTime is %v, but the annotation says %s", at, annotation)
	}
	return tokens[0].Value
}

func checkStatus(t *testing.T, obj *v1alpha1.CDPCredential, provider string, basic bool) {
	t.Helper()
	status := obj.Status
	if status.Provider != provider || status.TargetName != "etl-token" || status.ObservedGeneration != 1 || status.Failures != 0 {
		t.Errorf("status has provider %q, target %q, generation %d, failures %d", status.Provider, status.TargetName, status.ObservedGeneration, status.Failures)
	}
	if why := is(obj, "Refreshed", metav1.ConditionTrue, "TokenIssued"); why != nil {
		t.Error(why)
	}
	if len(status.Conditions) != 2 {
		t.Errorf("the conditions are not just Ready and Refreshed: %s", statusText(obj))
	}
	if (status.NextRefreshTime == nil) != basic || (status.LastRefreshTime == nil) != basic || (status.Issuance == nil) != basic {
		t.Errorf("nextRefreshTime %v, lastRefreshTime %v, issuance %v", status.NextRefreshTime, status.LastRefreshTime, status.Issuance)
	}
}

func pkcs8(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}
