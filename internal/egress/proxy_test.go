// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }

// proxy is a CONNECT proxy on loopback that sends every tunnel to one place.
func proxy(t *testing.T, to string) (u *url.URL, connects *atomic.Int64, asked chan string) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	connects, asked = new(atomic.Int64), make(chan string, 100)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			connects.Add(1)
			go func() {
				defer func() { _ = conn.Close() }()
				reader := bufio.NewReader(conn)
				req, err := http.ReadRequest(reader)
				if err != nil || req.Method != http.MethodConnect {
					return
				}
				asked <- req.Host
				target, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", to)
				if err != nil {
					return
				}
				defer func() { _ = target.Close() }()
				fmt.Fprint(conn, "HTTP/1.1 200 OK\r\n\r\n")
				go func() { _, _ = io.Copy(target, reader) }()
				_, _ = io.Copy(conn, target)
			}()
		}
	}()
	return &url.URL{Scheme: "http", Host: listener.Addr().String()}, connects, asked
}

func TestProxyKeepsConsentAndAddressChecks(t *testing.T) {
	t.Parallel()
	server, _, bundle := tlsServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	proxyURL, connects, asked := proxy(t, server.Listener.Addr().String())
	zone := &names{answers: map[string][][]netip.Addr{"direct.example.": {addresses("127.0.0.1")}}}
	transports := &Transports{
		Resolver: zone,
		Proxy: func(r *http.Request) (*url.URL, error) {
			if strings.HasPrefix(r.URL.Host, "direct.example") || r.URL.Host == proxyURL.Host {
				return nil, nil
			}
			return proxyURL, nil
		},
	}
	rt, err := transports.For("ns", bundle)
	if err != nil {
		t.Fatal(err)
	}

	resp, err := get(t, rt, "https://example.com/") // the proxy stands on loopback, which the policy does not open
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusTeapot || <-asked != "example.com:443" {
		t.Errorf("status %d through the proxy", resp.StatusCode)
	}
	if got := zone.lookups(); len(got) != 0 {
		t.Errorf("looked up %q, which is the proxy's business", got)
	}

	before := connects.Load()
	for _, target := range []string{
		"https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/", "https://169.254.169.254/", "https://[::ffff:10.0.0.1]/", // addresses in the URL
		"https://direct.example/",        // not by the proxy: the policy holds
		"https://" + proxyURL.Host + "/", // the proxy's own address is open for proxying only
		"https://direct.example:" + proxyURL.Port() + "/",
	} {
		if _, err := get(t, rt, target); !refused(err) {
			t.Errorf("GET %s: %v; want a refusal", target, err)
		}
	}
	if got := connects.Load(); got != before {
		t.Errorf("%d connections at the proxy, want none more than %d", got, before)
	}
	for _, target := range []string{"https://0x7f000001/", "https://127.1/", "https://2130706433/"} { // a proxy might read them as addresses
		if _, err := get(t, rt, target); err == nil || connects.Load() != before {
			t.Errorf("GET %s: %v; want it refused before the proxy", target, err)
		}
	}
}

func TestProxyErrorHidesItsPassword(t *testing.T) {
	t.Parallel()
	transports := &Transports{Proxy: func(*http.Request) (*url.URL, error) { return nil, errors.New("bad http://user:CANARY@proxy") }}
	rt, err := transports.For("ns", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := get(t, rt, "https://example.com/"); err == nil || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("error %v; want one without the proxy's password", err)
	}
}

// TestProxyIsNotCheckedAgainstTheBundle has a proxy that is reached by TLS and has a certificate of the object's own CA.
func TestProxyIsNotCheckedAgainstTheBundle(t *testing.T) {
	t.Parallel()
	server, _, bundle := tlsServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	plain, connects, asked := proxy(t, server.Listener.Addr().String())
	front, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: server.TLS.Certificates})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = front.Close() })
	go func() { // TLS before the plain proxy
		for {
			conn, err := front.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				if conn.(*tls.Conn).HandshakeContext(t.Context()) != nil {
					return
				}
				back, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", plain.Host)
				if err != nil {
					return
				}
				defer func() { _ = back.Close() }()
				go func() { _, _ = io.Copy(back, conn) }()
				_, _ = io.Copy(conn, back)
			}()
		}
	}()
	proxyURL := &url.URL{Scheme: "https", Host: front.Addr().String(), User: url.UserPassword("operator", "CANARY")}
	transports := &Transports{Proxy: func(*http.Request) (*url.URL, error) { return proxyURL, nil }}
	rt, err := transports.For("ns", bundle)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := get(t, rt, "https://example.com/"); err == nil || connects.Load() != 0 {
		t.Errorf("%v, %d connections through the proxy; want its certificate refused", err, connects.Load())
	}
	if err := transports.TrustAlso(bundle); err != nil {
		t.Fatal(err)
	}
	resp, err := get(t, rt, "https://example.com/")
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusTeapot || <-asked != "example.com:443" {
		t.Errorf("status %d through the proxy", resp.StatusCode)
	}
}

// TestProxyRefusalIsNotTheEndpoints: a proxy that does not connect is told from an endpoint that cannot be reached, and so is one that is down.
func TestProxyRefusalIsNotTheEndpoints(t *testing.T) {
	t.Parallel()
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusProxyAuthRequired) }))
	defer refusing.Close()
	proxyURL, err := url.Parse(refusing.URL)
	if err != nil {
		t.Fatal(err)
	}
	transports := &Transports{Proxy: http.ProxyURL(proxyURL)}
	defer transports.CloseIdleConnections()
	rt, err := transports.For("a", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = get(t, rt, "https://example.com/")
	if refused, ok := errors.AsType[*ProxyRefusedError](err); !ok || refused.Status != http.StatusProxyAuthRequired {
		t.Errorf("a proxy that wants a password: %v", err)
	}
	refusing.Close()
	_, err = get(t, rt, "https://example.com/")
	if dial, ok := errors.AsType[*net.OpError](err); !ok || dial.Op != "proxyconnect" {
		t.Errorf("a proxy that is down: %v", err)
	}
}
