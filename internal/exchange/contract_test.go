// SPDX-License-Identifier: Apache-2.0

package exchange_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/flow"
	"github.com/cdpcredentials/cdp-credential-operator/internal/flow/flowtest"
)

// TestContract: of every provider, the sample can be sent, every value that it needs goes out in one request, and none is shown.
func TestContract(t *testing.T) {
	t.Parallel()
	for _, sample := range flowtest.Samples(t) {
		t.Run(sample.Name, func(t *testing.T) {
			t.Parallel()
			f, err := flow.Of(&sample.Spec.Provider, nil)
			if err != nil {
				t.Fatal(err)
			}
			req := exchange.Request{Flow: f, Values: exchange.Values{}}
			for _, key := range f.Keys {
				req.Values[key.Field] = exchange.Secret("value" + rand.Text())
			}
			if _, ok := req.Values[flow.PrivateKey]; ok {
				req.Values[flow.PrivateKey] = asPEM(rsaKey())
			}
			if err := req.Check(); err != nil {
				t.Errorf("Check: %v", err)
			}
			checkPrints(t, req)
			checkFingerprint(t, req)
			if f.Static != nil {
				checkStatic(t, req)
				return
			}
			checkSent(t, req)
			if f.Update != nil {
				req.CurrentToken = exchange.Secret("held" + rand.Text())
				checkPrints(t, req)
				checkSent(t, req)
			}
		})
	}
}

// checkPrints tries the ways in which a request finds its way into a log.
func checkPrints(t *testing.T, req exchange.Request) {
	t.Helper()
	for _, value := range []any{req, &req, req.Values, struct{ Inner exchange.Request }{req}} {
		var printed bytes.Buffer
		fmt.Fprintf(&printed, "%v %+v %#v %s %q %x", value, value, value, value, value, value)
		encoded, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		printed.Write(encoded)
		slog.New(slog.NewJSONHandler(&printed, nil)).Info("x", "value", value)
		for field, secret := range withHeld(req) {
			for _, form := range []string{string(secret), fmt.Sprintf("%x", string(secret))} {
				if strings.Contains(printed.String(), form) {
					t.Errorf("%T prints %s", value, field)
				}
			}
		}
	}
}

func withHeld(req exchange.Request) exchange.Values {
	all := maps.Clone(req.Values)
	if req.CurrentToken != "" {
		all["the held token"] = req.CurrentToken
	}
	return all
}

func checkFingerprint(t *testing.T, req exchange.Request) {
	t.Helper()
	before := req.Fingerprint([]byte("salt"))
	for _, key := range req.Flow.Keys {
		changed := req
		changed.Values = maps.Clone(req.Values)
		changed.Values[key.Field] += "x"
		if changed.Fingerprint([]byte("salt")) == before {
			t.Errorf("with another %s the fingerprint is the same", key.Field)
		}
	}
	about := req
	about.Namespace, about.ClockOffset, about.CurrentToken = "other", 1, "held"
	if about.Fingerprint([]byte("salt")) != before {
		t.Error("how a token is got makes a difference: an updated token, or a corrected clock, say, would be a reason to renew at once")
	}
}

func checkStatic(t *testing.T, req exchange.Request) {
	t.Helper()
	token, err := exchange.Exchanger{Now: clock, Rand: rand.Reader}.Exchange(t.Context(), nil, req)
	if err != nil || token.Value == "" || !token.Life.ExpiresAt.IsZero() {
		t.Errorf("no lasting token: %v", err)
	}
}

// checkSent has an endpoint refuse the request and throw back each value that it was sent.
func checkSent(t *testing.T, req exchange.Request) {
	t.Helper()
	for field, secret := range withHeld(req) {
		if field == flow.PrivateKey || field == flow.Passphrase || field == flow.KeyID {
			continue // they stay here: an assertion is what goes out
		}
		asked := ""
		rt := roundTrip(func(r *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			id, password, _ := r.BasicAuth()
			plain, _ := url.QueryUnescape(string(body))
			asked = fmt.Sprint(r.URL, r.Header, id, password, string(body), plain)
			header := http.Header{"X-Request-Id": {string(secret)}, "X-Correlation-Id": {string(secret)}}
			thrown, err := json.Marshal(map[string]string{"error": string(secret), "error_description": string(secret)})
			if err != nil {
				t.Error(err)
			}
			return &http.Response{StatusCode: http.StatusUnauthorized, Header: header, Body: io.NopCloser(bytes.NewReader(thrown))}, nil
		})
		_, err := exchange.Exchanger{Now: clock, Rand: rand.Reader}.Exchange(t.Context(), rt, req)
		failed, ok := errors.AsType[*exchange.Error](err)
		if !ok || failed.Kind != exchange.Rejected {
			t.Fatalf("another error: %v", err)
		}
		if !strings.Contains(asked, string(secret)) {
			t.Errorf("%s is not sent", field)
		}
		shown := fmt.Sprintf("%v %+v", err, *failed)
		if who := field == req.Flow.ClientIDKey(); !who && strings.Contains(shown, string(secret)) {
			t.Errorf("the error shows %s", field)
		}
	}
}
