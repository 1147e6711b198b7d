// SPDX-License-Identifier: Apache-2.0

package samples

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// TestSamplesReachLocalEndpoints: every sample calls a local endpoint, with its own client and with consent.
func TestSamplesReachLocalEndpoints(t *testing.T) {
	t.Parallel()
	endpoints, err := exchangetest.Start(exchangetest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = endpoints.Close() })
	samples, err := readSamples("../../../config/samples")
	if err != nil {
		t.Fatal(err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, sample := range samples {
		cred, err := localCredential(sample, endpoints, key, time.Minute)
		if err != nil {
			t.Error(err)
			continue
		}
		if err := endpoints.Register(cred.Client); err != nil {
			t.Error(err)
		}
		host := endpoints.Host(cred.Client.System)
		spec, err := json.Marshal(cred.credentialPatch(sample))
		if err != nil {
			t.Fatal(err)
		}
		secret, err := json.Marshal(cred.secretPatch(sample, endpoints))
		if err != nil {
			t.Fatal(err)
		}
		if cred.Provider != "basic" && (!strings.Contains(string(spec), host) || !strings.Contains(string(secret), host)) {
			t.Errorf("%s does not use %s:\n%s", sample.Name, host, spec)
		}
		if !strings.Contains(string(secret), cred.Client.Secret) {
			t.Errorf("%s keeps its placeholders", sample.Name)
		}
	}
	files, err := filepath.Glob("../../../config/samples/cdpcredentials_*.yaml")
	if err != nil || len(samples) != len(files) {
		t.Errorf("%d samples in %d files: %v", len(samples), len(files), err)
	}
}
