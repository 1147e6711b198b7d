// SPDX-License-Identifier: Apache-2.0

package exchange_test

import (
	"crypto/rand"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// clock is when every test happens, unless it says otherwise.
func clock() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) }

// silent keeps failed handshakes, which are the point of some tests, out of their output.
var silent = log.New(io.Discard, "", 0)

// stub is an endpoint that gives one answer and keeps what it was asked.
type stub struct {
	*httptest.Server
	// asked are the requests, each written out: request line, headers sorted by name, body.
	asked []string
}

// newStub starts an endpoint whose clock is the tests'.
func newStub(t *testing.T, answer http.HandlerFunc) *stub {
	t.Helper()
	s := &stub{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read the request: %v", err)
		}
		s.asked = append(s.asked, written(r, body))
		w.Header().Set("Date", clock().Format(http.TimeFormat))
		answer(w, r)
	}))
	s.Config.ErrorLog = silent
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// exchange makes one attempt against the endpoint.
func (s *stub) exchange(t *testing.T, req ask) (exchange.Token, error) {
	t.Helper()
	return exchange.Exchanger{Now: clock, Rand: rand.Reader}.Exchange(t.Context(), s.Client().Transport, req.request())
}

// written is a request as text. Content-Length and Accept-Encoding are net/http's.
func written(r *http.Request, body []byte) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s\n", r.Method, r.RequestURI)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if name != "Content-Length" && name != "Accept-Encoding" {
			fmt.Fprintf(&text, "%s: %s\n", name, strings.Join(r.Header[name], " | "))
		}
	}
	fmt.Fprintf(&text, "\n%s", body)
	return text.String()
}

// says answers with status and body, as JSON.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}
