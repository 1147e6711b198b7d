// SPDX-License-Identifier: Apache-2.0

package exchange_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// roundTrip is a transport made of one function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

var providers = map[string]ask{
	"form":      {Provider: v1alpha1.Provider{Experiture: &v1alpha1.Experiture{TokenURL: "https://a.example.com"}}},
	"JSON":      {Provider: v1alpha1.Provider{Apsis: &v1alpha1.Apsis{URL: new(v1alpha1.HTTPSURL("https://a.example.com"))}}},
	"assertion": {Provider: v1alpha1.Provider{Adobe: &v1alpha1.Adobe{IMSURL: new(v1alpha1.HTTPSURL("https://a.example.com"))}}},
}

// refused stands for an error of the transport's own type.
type refused struct{}

func (refused) Error() string { return "10.0.0.1 is private; authorization: hunter2" }

// proxyRefusalError is like the transport's error when a proxy refuses.
type proxyRefusalError struct{ refused }

func (proxyRefusalError) RefusedByProxy() {}

func TestNetworkFailures(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		cause error
		want  string
	}{
		"DNS":              {&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "a.example.com", IsNotFound: true}}, "the DNS lookup failed"},
		"DNS, slow":        {&net.DNSError{Err: "i/o timeout", IsTimeout: true}, "the DNS lookup failed"},
		"refused":          {&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, "the connection was refused"},
		"reset":            {&net.OpError{Op: "read", Err: syscall.ECONNRESET}, "the connection was reset"},
		"closed":           {io.EOF, "the connection was reset"},
		"unreachable":      {&net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH}, "the endpoint's network is unreachable"},
		"timeout":          {&net.OpError{Op: "dial", Err: context.DeadlineExceeded}, "the endpoint did not answer in time"},
		"untrusted":        {&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, "the endpoint's certificate is not trusted"},
		"another name":     {&tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: &x509.Certificate{}, Host: "b"}}, "the endpoint's certificate is for another name"},
		"expired":          {&tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired}}, "the endpoint's certificate has expired or is not yet valid"},
		"invalid":          {&tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.NotAuthorizedToSign}}, "the endpoint's certificate is not valid"},
		"no TLS":           {tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, "the TLS handshake failed"},
		"HTTP on the port": {http.ErrSchemeMismatch, "the TLS handshake failed"},
		"alert":            {&net.OpError{Op: "remote error", Err: tls.AlertError(40)}, "the TLS handshake failed"},
		"cancelled":        {context.Canceled, "the attempt was cancelled"},
		"proxy down":       {&net.OpError{Op: "proxyconnect", Err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}, "the proxy cannot be reached"},
		"proxy, no name":   {&net.OpError{Op: "proxyconnect", Err: &net.DNSError{Err: "no such host", Name: "proxy"}}, "the proxy cannot be reached"},
		"proxy refuses":    {&url.Error{Op: "Post", Err: proxyRefusalError{}}, "the proxy refused the connection"},
		"of the transport": {refused{}, "the endpoint cannot be reached"},
	}
	for name, test := range tests {
		for flow, req := range providers {
			t.Run(name+", "+flow, func(t *testing.T) {
				t.Parallel()
				asked := 0
				rt := roundTrip(func(*http.Request) (*http.Response, error) { asked++; return nil, test.cause })
				_, err := exchange.Exchanger{Now: clock, Rand: rand.Reader}.Exchange(t.Context(), rt, req.request())
				failed := asError(t, err)
				if failed.Kind != exchange.Unavailable || failed.Status != 0 || err.Error() != test.want {
					t.Errorf("kind %v, HTTP %d: %v", failed.Kind, failed.Status, err)
				}
				if !errors.Is(err, test.cause) {
					t.Error("the cause is lost")
				}
				if asked != 1 {
					t.Errorf("asked %d times", asked)
				}
			})
		}
	}
}

func TestRealTLSFailures(t *testing.T) {
	t.Parallel()
	secure := httptest.NewUnstartedServer(nil)
	secure.Config.ErrorLog = silent
	secure.StartTLS()
	defer secure.Close()
	plain := httptest.NewServer(nil)
	defer plain.Close()
	old := httptest.NewUnstartedServer(nil)
	old.Config.ErrorLog = silent
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11}
	old.StartTLS()
	defer old.Close()

	trusted := secure.Client().Transport.(*http.Transport)
	otherName := trusted.Clone()
	otherName.TLSClientConfig.ServerName = "other.invalid"
	tests := map[string]struct {
		rt   http.RoundTripper
		url  string
		want string
	}{
		"own CA not given": {&http.Transport{}, secure.URL, "the endpoint's certificate is not trusted"},
		"another name":     {otherName, secure.URL, "the endpoint's certificate is for another name"},
		"plain HTTP":       {trusted, "https" + strings.TrimPrefix(plain.URL, "http"), "the TLS handshake failed"},
		"TLS 1.1":          {trusted, old.URL, "the TLS handshake failed"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			req := ask{Provider: v1alpha1.Provider{Apsis: &v1alpha1.Apsis{URL: new(v1alpha1.HTTPSURL(test.url))}}}
			_, err := exchange.Exchanger{Now: clock, Rand: rand.Reader}.Exchange(t.Context(), test.rt, req.request())
			if err == nil || err.Error() != test.want {
				t.Errorf("%v, want %s", err, test.want)
			}
			if untrusted := asError(t, err).Untrusted; untrusted != (name == "own CA not given") {
				t.Errorf("untrusted: %t", untrusted)
			}
		})
	}
}

// hang is a server that never answers.
func hang(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestExchangeTimesOut(t *testing.T) {
	t.Parallel()
	trickle := func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: trickling{r.Context()}}, nil
	}
	for server, rt := range map[string]roundTrip{"silent": hang, "trickling": trickle} {
		for flow, req := range providers {
			t.Run(server+", "+flow, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					started := time.Now()
					_, err := exchange.Exchanger{Now: time.Now, Rand: rand.Reader}.Exchange(t.Context(), rt, req.request())
					failed := asError(t, err)
					if failed.Kind != exchange.Unavailable || failed.Detail != "the endpoint did not answer in time" {
						t.Error(err)
					}
					if took := time.Since(started); took != 15*time.Second {
						t.Errorf("took %v", took)
					}
				})
			})
		}
	}
}

// trickling is a body that gives a space now and then, for ever.
type trickling struct{ ctx context.Context }

func (b trickling) Read(p []byte) (int, error) {
	select {
	case <-b.ctx.Done():
		return 0, b.ctx.Err()
	case <-time.After(time.Second):
		return copy(p, " "), nil
	}
}

func (trickling) Close() error { return nil }

func TestExchangeSaysThatItWasCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := exchange.Exchanger{Now: clock, Rand: rand.Reader}.Exchange(ctx, roundTrip(hang), providers["form"].request())
	if failed := asError(t, err); failed.Detail != "the attempt was cancelled" || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestTruncatedBodyIsClassifiedByStatus(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]exchange.Kind{200: exchange.Unavailable, 401: exchange.Rejected} {
		endpoint := newStub(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"access_token":"opaque"`)
		})
		_, err := endpoint.exchange(t, ask{Provider: v1alpha1.Provider{Apsis: &v1alpha1.Apsis{URL: new(v1alpha1.HTTPSURL(endpoint.URL))}}})
		if failed := asError(t, err); failed.Kind != want {
			t.Errorf("HTTP %d: kind %v", status, failed.Kind)
		}
	}
}

func TestSwitchingProtocolsIsNoAnswer(t *testing.T) {
	t.Parallel()
	rt := roundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusSwitchingProtocols, Body: io.NopCloser(strings.NewReader(good))}, nil
	})
	_, err := exchange.Exchanger{Now: clock, Rand: rand.Reader}.Exchange(t.Context(), rt, providers["form"].request())
	if failed := asError(t, err); failed.Kind != exchange.Unavailable || failed.Status != 101 {
		t.Error(err)
	}
}
