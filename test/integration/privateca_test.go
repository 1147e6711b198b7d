// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// TestPrivateCASampleWithItsPlaceholdersFilledInIsReady fills in the sample as a reader would. Without the CA its endpoint is not trusted.
func TestPrivateCASampleWithItsPlaceholdersFilledInIsReady(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	content, err := os.ReadFile(filepath.Join(s.Root, "config/samples/cdpcredentials_v1alpha1_oauth2_private_ca.yaml"))
	s.must(err)
	known := exchangetest.Client{System: exchangetest.OAuth2, ID: "private-ca", Secret: random()}
	s.must(s.endpoints.Register(known))
	ca := strings.ReplaceAll(strings.TrimSpace(string(s.endpoints.CABundle())), "\n", "\n    ")
	const placeholder = "-----BEGIN CERTIFICATE-----\n    REPLACE_WITH_THE_CERTIFICATE_OF_THE_CA\n    -----END CERTIFICATE-----"
	for old, value := range map[string]string{
		"auth.corp.example": s.endpoints.Host(exchangetest.OAuth2), "REPLACE_WITH_CLIENT_ID": known.ID, "REPLACE_WITH_CLIENT_SECRET": fmt.Sprintf("%q", known.Secret),
		placeholder: ca,
	} {
		if !bytes.Contains(content, []byte(old)) {
			t.Errorf("the sample has no %q", old)
		}
		content = bytes.ReplaceAll(content, []byte(old), []byte(value))
	}
	var secret corev1.Secret
	var obj v1alpha1.CDPCredential
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096)
	for _, into := range []client.Object{&secret, &obj} {
		s.must(decoder.Decode(into))
		into.SetNamespace(s.namespace)
	}
	authority := secret.StringData["ca.crt"]
	delete(secret.StringData, "ca.crt")
	s.must(s.Client.Create(t.Context(), &secret))
	s.must(s.Client.Create(t.Context(), &obj))

	c := &credential{stage: s, name: "private-ca", known: known}
	c.until(patience, "the endpoint is not trusted", func() error {
		for _, condition := range c.object().Status.Conditions {
			if strings.Contains(condition.Message, "not trusted") && strings.Contains(condition.Message, "key ca.crt of Secret private-ca-client") {
				return nil
			}
		}
		return errNotYet
	})
	c.editClient(func(secret *corev1.Secret) { secret.Data["ca.crt"] = []byte(authority) })
	c.waitIssued(1)
	if c.token() == "" {
		t.Error("the target holds no token")
	}
}
