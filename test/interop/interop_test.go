// SPDX-License-Identifier: Apache-2.0

package interop

import (
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/flow"
)

// hard is a secret that any missing or repeated encoding would damage.
const hard = "s+e/c=r:e%t!&-0123456789-0123456789"

// server is a running authorization server.
type server struct {
	url string
	rt  http.RoundTripper
}

// ask is a request without its address.
type ask struct {
	provider v1alpha1.OAuth2
	values   exchange.Values
}

func (s server) exchange(t *testing.T, req ask) (exchange.Token, error) {
	t.Helper()
	req.provider.TokenURL = v1alpha1.HTTPSURL(s.url)
	f, err := flow.Of(&v1alpha1.Provider{OAuth2: &req.provider}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return exchange.Exchanger{Now: time.Now, Rand: rand.Reader}.Exchange(t.Context(), s.rt, exchange.Request{Flow: f, Values: req.values})
}

// outcome is the result of a case.
type outcome struct {
	// JWT and Lifetime describe the token; the lifetime is rounded to the minute, because servers report whole seconds.
	JWT      bool
	Lifetime time.Duration
	Granted  []string
	// Kind, Status and Code describe the error, if there was one.
	Failed bool
	Kind   exchange.Kind
	Status int
	Code   string
}

func outcomeOf(t *testing.T, got exchange.Token, err error) outcome {
	t.Helper()
	if err == nil {
		return outcome{
			JWT: strings.Count(string(got.Value), ".") == 2, Lifetime: got.Life.Lifetime().Round(time.Minute), Granted: got.Granted,
		}
	}
	failed, ok := errors.AsType[*exchange.Error](err)
	if !ok {
		t.Fatalf("another error: %v", err)
	}
	if strings.Contains(err.Error(), hard) {
		t.Errorf("the error contains the secret: %v", err)
	}
	return outcome{Failed: true, Kind: failed.Kind, Status: failed.Status, Code: failed.Code}
}

// try makes each request twice: what may be used only once, such as an assertion, must be new the second time.
func try(t *testing.T, s server, req ask, want outcome) {
	t.Helper()
	for range 2 {
		got, err := s.exchange(t, req)
		if diff := cmp.Diff(want, outcomeOf(t, got, err)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
}
