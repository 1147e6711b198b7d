// SPDX-License-Identifier: Apache-2.0

package exchange_test

import (
	"crypto/rand"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// mostOfAnswer is what an answer may cost beside what it takes on the wire (design.md, memory under attack).
const mostOfAnswer = 8 << 20

// bombs are answers of up to 1 MiB that a reader could be made to build much more of.
func bombs() map[string]string {
	fill := func(before, piece, after string) string {
		return before + strings.Repeat(piece, (1<<20-len(before)-len(after))/len(piece)) + after
	}
	return map[string]string{
		"a list of objects":         fill(`{"a":[{"":0}`, `,{"":0}`, `]}`),
		"a scope that is":           fill(`{"scope":[{"":0}`, `,{"":0}`, `]}`),
		"a list of numbers":         fill(`{"a":[0`, `,0`, `]}`),
		"a scope of short strings":  fill(`{"scope":[""`, `,""`, `]}`),
		"a scope of empty lists":    fill(`{"scope":[[]`, `,[]`, `]}`),
		"members":                   fill(`{"":0`, `,"":0`, `}`),
		"the same member":           fill(`{"error":{}`, `,"error":{"code":"a"}`, `}`),
		"the same long member":      fill(`{"scope":"`+strings.Repeat("a", 60<<10)+`"`, `,"scope":"`+strings.Repeat("a", 60<<10)+`"`, `}`),
		"the same member, escaped":  fill(`{"scope":"a"`, `,"scope":"`+strings.Repeat(`\u00e4`, 10<<10)+`"`, `}`),
		"the same member, no UTF-8": fill(`{"scope":"a"`, `,"scope":"`+strings.Repeat("\xff", 60<<10)+`"`, `}`),
		"long names":                fill(`{"`+strings.Repeat("a", 1000)+`":0`, `,"`+strings.Repeat(`\u00e4`, 1000)+`":0`, `}`),
		"depth":                     fill(`{"a":`, `[`, ``),
		"depth of wanted objects":   fill(`{"error":`, `{"code":`, ``),
		"a huge string":             fill(`{"access_token":"`, `x`, `"}`),
		"a huge escaped string":     fill(`{"access_token":"`, `\u00e4`, `"}`),
		"a huge name":               fill(`{"`, `x`, `":0}`),
		"a huge number":             fill(`{"expires_in":1`, `0`, `}`),
		"a list of large strings":   fill(`{"scope":["a"`, `,"`+strings.Repeat("a", 8<<10)+`"`, `]}`),
		"scopes":                    fill(`{"access_token":"a","expires_in":60,"scope":"a`, ` a`, `"}`),
	}
}

// TestHostileAnswersCostNoMemory reads each of them by each of the ways in which answers are read.
func TestHostileAnswersCostNoMemory(t *testing.T) {
	requests := map[string]ask{
		"a form": {Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{}}},
		"fields": {Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{RequestFormat: "JSON", Response: &v1alpha1.OAuth2Response{TokenField: "a.b.c", ExpiresInField: "scope.error"}}}},
		"data":   {Provider: v1alpha1.Provider{Experiture: &v1alpha1.Experiture{}}},
		"JSON":   {Provider: v1alpha1.Provider{Auth0: &v1alpha1.Auth0{}}},
	}
	for name, body := range bombs() {
		for kind, req := range requests {
			for _, status := range []int{200, 400} {
				rt := roundTrip(func(*http.Request) (*http.Response, error) {
					return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
				})
				took := allocated(func() {
					_, _ = exchange.Exchanger{Now: clock, Rand: rand.Reader}.Exchange(t.Context(), rt, req.at("https://a.example.com").request())
				})
				if took > mostOfAnswer {
					t.Errorf("%s, %s, %d: %d KiB", name, kind, status, took>>10)
				}
			}
		}
		rt := roundTrip(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusUnauthorized, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
		})
		if took := allocated(func() { exchange.Verify(t.Context(), rt, clock, "https://a.example.com", nil) }); took > mostOfAnswer {
			t.Errorf("%s, verified: %d KiB", name, took>>10)
		}
	}
}

// mostOfKey is what opening a private key may cost.
const mostOfKey = 16<<20 + 256<<10

// TestHostileKeysCostNoMemory opens keys whose authors want it to cost as much as they may.
func TestHostileKeysCostNoMemory(t *testing.T) {
	keys := map[string]exchange.Secret{
		"OpenSSL's scrypt":              opensslScrypt,
		"twice as much":                 withScrypt(t, 1<<15, 8, 1),
		"as much in more rounds":        withScrypt(t, 1<<13, 8, 2),
		"in many rounds at once":        withScrypt(t, 2, 1, 1<<16),
		"in large blocks":               withScrypt(t, 2, 1<<16, 1),
		"in the largest blocks allowed": withScrypt(t, 1<<11, 64, 1),
		"iterations":                    withIterations(t, 1<<12),
	}
	for name, key := range keys {
		req := ask{
			Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: "https://a.example.com", AuthMethod: "PrivateKeyJWT"}},
			Values:   exchange.Values{"clientID": "etl", "privateKey": key, "privateKeyPassphrase": "open-sesame"},
		}
		if took := allocated(func() { _ = opened(t, req) }); took > mostOfKey {
			t.Errorf("%s: %d KiB", name, took>>10)
		}
	}
}

// allocated is how many bytes f allocates, garbage included. Nothing else may run.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
