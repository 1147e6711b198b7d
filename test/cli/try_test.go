// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

func TestTryOfAnObject(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.credential("etl")
	s.eventually(0, "nothing is wrong", "status", "etl")
	s.expect(0, []string{"A Bearer token for ", "Authorization: Basic REDACTED", "grant_type = client_credentials", "HTTP 200 application/json", "access_token: string"},
		"try", "etl", "--allowed-cidrs", "127.0.0.1/32")
	s.expect(3, []string{"No token: EndpointRefused", "loopback"}, "try", "etl")
	s.expect(0, []string{"lifetime: "}, "try", "etl", "--allowed-cidrs", "127.0.0.1/32", "-o", "yaml")
	s.expect(2, []string{"--allowed-cidrs"}, "try", "etl", "--allowed-cidrs", "nonsense")
}

func TestTryKeepsTheConsentOfTheSecret(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.credential("etl", func(_ *v1alpha1.CDPCredential, secret *corev1.Secret) { secret.Annotations = nil })
	s.expect(3, []string{"No token: HostNotAllowed", "nothing was sent"}, "try", "etl", "--allowed-cidrs", "127.0.0.1/32")
}

func TestTryDoesNotKillTheTokenInUse(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	asked := s.credential("etl", func(obj *v1alpha1.CDPCredential, _ *corev1.Secret) {
		obj.Spec.Refresh = &v1alpha1.Refresh{Issuance: v1alpha1.IssuanceOneActive}
	})
	s.eventually(0, "nothing is wrong", "status", "etl")
	before := s.endpoints.Issued(exchangetest.OAuth2, asked.ID)
	s.expect(2, []string{"OneActive", "--force"}, "try", "etl", "--allowed-cidrs", "127.0.0.1/32")
	if issued := s.endpoints.Issued(exchangetest.OAuth2, asked.ID); issued != before {
		t.Errorf("%d tokens were issued, not %d", issued, before)
	}
	s.expect(0, []string{"A Bearer token"}, "try", "etl", "--allowed-cidrs", "127.0.0.1/32", "--force")
	s.expect(0, []string{"note: a new token invalidates the one in use"}, "renew", "etl")
}

func TestTryAManifestBeforeItIsApplied(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.credential("other")
	var secret corev1.Secret
	s.must(s.Client.Get(t.Context(), client.ObjectKey{Namespace: s.namespace, Name: "other-client"}, &secret))
	file := filepath.Join(t.TempDir(), "object.yaml")
	s.must(os.WriteFile(file, []byte(s.expect(0, nil, "create", "oauth2", "etl", "--url", s.endpoints.TokenURL(exchangetest.OAuth2), "--secret", "other-client").out), 0o600))
	s.expect(0, []string{"A Bearer token for "}, "try", "-f", file, "--allowed-cidrs", "127.0.0.1/32")
	s.expect(0, []string{"Secret etl-token would hold", "token: <token>"}, "render", "-f", file)
	s.expect(1, []string{"not found"}, "status", "etl")
}

func TestCreateWithItsSecret(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	client := exchangetest.Client{System: exchangetest.OAuth2, ID: "cli-created-client", Secret: "cli-created-secret"}
	s.must(s.endpoints.Register(client))
	authority := filepath.Join(t.TempDir(), "secret")
	s.must(os.WriteFile(authority, []byte(client.Secret+"\n"), 0o600))
	s.interactive, s.secrets = true, []string{client.ID, "@" + authority}
	args := []string{"create", "oauth2", "etl", "--url", s.endpoints.TokenURL(exchangetest.OAuth2), "--dry-run=none", "--with-secret"}
	a := s.runWith("yes\n", args...)
	a.check(t, 0, []string{"may have its values sent to", "client-id: ", "client-secret: ", "Secret etl-client is created", "etl is created"}, args)
	if strings.Contains(a.out+a.err, client.ID) {
		t.Error("it shows what was typed at a hidden prompt")
	}
	s.eventually(3, "the endpoint's certificate is not trusted", "status", "etl") // the Secret has no CA, so getting this far needed its consent
	s.interactive = false
	s.expect(2, []string{"there is none here"}, "create", "apsis", "etl", "--dry-run=none", "--with-secret")
	s.expect(0, []string{"web is created"}, "create", "apsis", "web", "--dry-run=none")
	s.eventually(3, "Why    SecretNotFound: there is no Secret web-client", "status", "web")
}
