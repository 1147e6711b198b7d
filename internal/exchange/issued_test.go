// SPDX-License-Identifier: Apache-2.0

package exchange_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// TestErrorSaysWhetherATokenWasIssued: an error reports whether the answer held a token, usable or not, since whoever counts tokens has counted it.
func TestErrorSaysWhetherATokenWasIssued(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		body   string
		want   bool
	}{
		"no lifetime":       {200, `{"access_token":"opaque"}`, true},
		"expired":           {200, `{"access_token":"e30.eyJleHAiOjE2MDAwMDAwMDB9.c2ln"}`, true},
		"absurd":            {200, `{"access_token":"opaque","expires_in":1e12}`, true},
		"unsafe":            {200, `{"access_token":"opa que","expires_in":60}`, true},
		"too long":          {200, `{"access_token":"` + strings.Repeat("x", 16385) + `","expires_in":60}`, true},
		"no token":          {200, `{"expires_in":60}`, false},
		"an empty token":    {200, `{"access_token":"","expires_in":60}`, false},
		"an error":          {200, `{"error":"no","access_token":"opaque"}`, false},
		"no JSON":           {200, `<html>`, false},
		"refused":           {401, `{"error":"invalid_client"}`, false},
		"refused, a token?": {400, `{"access_token":"opaque","expires_in":60}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endpoint := newStub(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			})
			_, err := endpoint.exchange(t, ask{Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: v1alpha1.HTTPSURL(endpoint.URL)}}, Values: exchange.Values{"clientID": "etl", "clientSecret": "hunter2-hunter2"}})
			if got := asError(t, err).Issued; got != test.want {
				t.Errorf("got %t, want %t: %v", got, test.want, err)
			}
		})
	}
}
