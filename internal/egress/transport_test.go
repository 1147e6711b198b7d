// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// names is a DNS zone: each lookup of a name takes the next answer, the last one again and again.
type names struct {
	mu      sync.Mutex
	answers map[string][][]netip.Addr
	asked   []string
}

func (n *names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked = append(n.asked, host)
	answers := n.answers[host]
	if len(answers) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	if len(answers) > 1 {
		n.answers[host] = answers[1:]
	}
	return answers[0], nil
}

func (n *names) lookups() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.asked...)
}

func addresses(addrs ...string) []netip.Addr {
	var parsed []netip.Addr
	for _, addr := range addrs {
		parsed = append(parsed, netip.MustParseAddr(addr))
	}
	return parsed
}

func loopback(t *testing.T) Policy {
	t.Helper()
	return Policy{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}}
}

// tlsServer answers for example.com, the name in httptest's certificate.
func tlsServer(t *testing.T, handler http.HandlerFunc) (server *httptest.Server, port string, bundle []byte) {
	t.Helper()
	server = httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.Config.ErrorLog = nil
	server.StartTLS()
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return server, port, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}

func get(t *testing.T, rt http.RoundTripper, rawURL string) (*http.Response, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, rawURL, http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := (&http.Client{Transport: rt, CheckRedirect: NoRedirect}).Do(req)
	if err == nil {
		t.Cleanup(func() { _ = resp.Body.Close() })
	}
	return resp, err
}

func TestTransportReachesWhatIsOpen(t *testing.T) {
	t.Parallel()
	_, port, bundle := tlsServer(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %s|", r.Proto, r.Host, r.Header.Get("Accept-Encoding"))
	})
	zone := &names{answers: map[string][][]netip.Addr{"example.com.": {addresses("127.0.0.1")}}}
	transports := &Transports{Policy: loopback(t), Resolver: zone}
	rt, err := transports.For("ns", bundle)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"example.com", "example。com"} { // the second is written in ASCII before it leaves
		resp, err := get(t, rt, "https://"+host+":"+port+"/")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := string(body), "HTTP/2.0 example.com:"+port+" |"; got != want {
			t.Errorf("the server saw %q, want %q", got, want)
		}
	}
	if got := zone.lookups(); len(got) != 1 || got[0] != "example.com." {
		t.Errorf("looked up %q; want one lookup, rooted, for one pooled connection", got)
	}
	transports.CloseIdleConnections()
}

func TestTransportChecksCertificates(t *testing.T) {
	t.Parallel()
	server, port, bundle := tlsServer(t, func(http.ResponseWriter, *http.Request) { t.Error("a request got through") })
	server.Config.ErrorLog = discardLog()
	zone := &names{answers: map[string][][]netip.Addr{"example.com.": {addresses("127.0.0.1")}, "other.example.": {addresses("127.0.0.1")}}}
	for name, tc := range map[string]struct {
		bundle []byte
		host   string
	}{
		"unknown authority": {nil, "example.com"},
		"another name":      {bundle, "other.example"},
	} {
		rt, err := (&Transports{Policy: loopback(t), Resolver: zone}).For("ns", tc.bundle)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = get(t, rt, "https://"+tc.host+":"+port+"/"); err == nil {
			t.Errorf("%s: no error", name)
		} else if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
			t.Errorf("%s: %v; want a certificate error", name, err)
		}
	}
}

func TestTransportRefusesOldTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = discardLog()
	server.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	server.StartTLS()
	t.Cleanup(server.Close)
	bundle := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	rt, err := (&Transports{Policy: loopback(t)}).For("ns", bundle)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := get(t, rt, server.URL); err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("error %v; want a refused protocol version", err)
	}
}

func TestTransportBoundsAndLeavesTheBodyAlone(t *testing.T) {
	t.Parallel()
	_, port, bundle := tlsServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/headers" {
			for i := range 80 {
				w.Header().Set(fmt.Sprintf("X-Fill-%d", i), strings.Repeat("x", 1024))
			}
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write([]byte("\x1f\x8b as sent"))
	})
	rt, err := (&Transports{Policy: loopback(t)}).For("ns", bundle)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := get(t, rt, "https://127.0.0.1:"+port+"/headers"); err == nil {
		t.Errorf("80 KiB of headers came through: %s", resp.Status)
	}
	resp, err := get(t, rt, "https://127.0.0.1:"+port+"/gzip")
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "\x1f\x8b as sent" {
		t.Errorf("body %q, %v; want it undecoded", body, err)
	}
}

func TestTransportRefusesWhatIsNotHTTPS(t *testing.T) {
	t.Parallel()
	rt, err := (&Transports{Policy: loopback(t)}).For("ns", nil)
	if err != nil {
		t.Fatal(err)
	}
	body := &closeRecorder{}
	for _, u := range []*url.URL{
		nil,
		{Scheme: "http", Host: "127.0.0.1:1"},
		{Scheme: "https"},
		{Scheme: "https", Host: "127.0.0.1:1", User: url.UserPassword("a", "b")},
		{Scheme: "https", Host: "0x7f000001"},
		{Scheme: "https", Opaque: "//127.0.0.1:1/"},
		{Scheme: "file", Path: "/etc/passwd"},
	} {
		body.closed = false
		resp, err := rt.RoundTrip(&http.Request{Method: http.MethodPost, URL: u, Body: body, Header: http.Header{}})
		if _, ok := errors.AsType[*EndpointError](err); !ok {
			t.Errorf("RoundTrip(%v) = %v; want an *EndpointError", u, err)
		}
		if resp != nil {
			_ = resp.Body.Close()
		}
		if !body.closed {
			t.Errorf("RoundTrip(%v) left the body open", u)
		}
	}
}

type closeRecorder struct{ closed bool }

func (*closeRecorder) Read([]byte) (int, error) { return 0, io.EOF }
func (c *closeRecorder) Close() error           { c.closed = true; return nil }

func TestCABundleTakesCertificatesOnly(t *testing.T) {
	t.Parallel()
	_, _, good := tlsServer(t, http.NotFound)
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("CANARY")})
	for name, tc := range map[string]struct {
		bundle string
		ok     bool
	}{
		"none":                  {"", true},
		"one":                   {string(good), true},
		"two":                   {string(good) + "\n" + string(good), true},
		"text around":           {"# our CA\n" + string(good) + "\n# end\n", true},
		"no PEM":                {"CANARY", false},
		"no certificate in it":  {"-----BEGIN CERTIFICATE-----\nQ0FOQVJZ\n-----END CERTIFICATE-----\n", false},
		"a private key":         {string(key), false},
		"a key after the CA":    {string(good) + string(key), false},
		"cut off":               {string(good[:len(good)-20]), false},
		"the second is cut off": {string(good) + string(good[:len(good)-20]), false},
		"as large as can be":    {strings.Repeat("\n", 512<<10-len(good)) + string(good), true},
		"too large":             {strings.Repeat("\n", 512<<10-len(good)+1) + string(good), false},
	} {
		rt, err := (&Transports{}).For("ns", []byte(tc.bundle))
		if tc.ok {
			if err != nil || rt == nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if _, ok := errors.AsType[*CABundleError](err); !ok || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %v; want a *CABundleError without content", name, err)
		}
	}
}

func TestPoolsAreSharedAndBounded(t *testing.T) {
	t.Parallel()
	transports := &Transports{}
	namespace := func(i int) string { return fmt.Sprint("ns-", i) }
	first := transports.pool("ns-0", bundleID{}, nil, nil)
	if transports.pool("ns-0", bundleID{}, nil, nil) != first {
		t.Error("two pools for one namespace")
	}
	if transports.pool("ns-0", bundleID{1}, nil, nil) == first {
		t.Error("a bundle shares the pool of the system's roots")
	}
	if proxied := transports.pool("ns-0", bundleID{}, nil, &url.URL{Scheme: "http", Host: "proxy.example"}); proxied == first || proxied.Proxy == nil || first.Proxy != nil {
		t.Error("a direct and a proxied request share a pool")
	}
	for i := range 1000 {
		transports.pool(namespace(i), bundleID{}, nil, nil)
		transports.pool("ns-0", bundleID{}, nil, nil) // stays in use
	}
	if got := len(transports.pools); got != 512 {
		t.Errorf("%d pools, want 512", got)
	}
	if transports.pool("ns-0", bundleID{}, nil, nil) != first {
		t.Error("the pool that is used all the time was evicted")
	}
}

func TestBundlesAreBounded(t *testing.T) {
	t.Parallel()
	_, _, bundle := tlsServer(t, func(http.ResponseWriter, *http.Request) {})
	transports := &Transports{}
	for i := range 100 {
		padded := append(bytes.Repeat([]byte("\n"), i), bundle...)
		rt, err := transports.For("ns", padded)
		if err != nil {
			t.Fatal(err)
		}
		r := rt.(*roundTripper)
		transports.pool("ns", r.bundle, r.roots, nil)
	}
	if len(transports.bundles) != 32 || len(transports.pools) != 32 {
		t.Errorf("%d bundles and %d pools are kept, want 32", len(transports.bundles), len(transports.pools))
	}
}

// TestNamespacesShareNoConnection asks one server for several namespaces, which it tells apart by the connection.
func TestNamespacesShareNoConnection(t *testing.T) {
	t.Parallel()
	_, port, bundle := tlsServer(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.RemoteAddr) })
	transports := &Transports{Policy: loopback(t)}
	connection := func(namespace string) string {
		rt, err := transports.For(namespace, bundle)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := get(t, rt, "https://127.0.0.1:"+port+"/")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	one, other, again := connection("one"), connection("other"), connection("one")
	if one == other || one != again {
		t.Errorf("connections %s of one namespace, %s of another, then %s of the first", one, other, again)
	}
}

func TestOpenConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	_, port, bundle := tlsServer(t, func(http.ResponseWriter, *http.Request) {})
	transports := &Transports{Policy: loopback(t)}
	for i := range maxOpenConns + 20 {
		rt, err := transports.For(fmt.Sprint("ns-", i), bundle)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := get(t, rt, "https://127.0.0.1:"+port+"/")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
	}
	if got := transports.open.Load(); got > maxOpenConns {
		t.Errorf("%d connections are open, want at most %d", got, maxOpenConns)
	}
	transports.CloseIdleConnections()
}

// TestTrustAlsoAddsToTheSystemsRoots is --ca-file: it adds to the system's roots, and a bundle replaces both.
func TestTrustAlsoAddsToTheSystemsRoots(t *testing.T) {
	t.Parallel()
	server, port, bundle := tlsServer(t, func(http.ResponseWriter, *http.Request) {})
	server.Config.ErrorLog = discardLog()
	address := "https://127.0.0.1:" + port + "/"
	transports := &Transports{Policy: loopback(t)}
	reaches := func(caBundle []byte) error {
		rt, err := transports.For("ns", caBundle)
		if err != nil {
			t.Fatal(err)
		}
		_, err = get(t, rt, address)
		return err
	}
	if err := reaches(nil); err == nil {
		t.Fatal("the certificate is trusted already")
	}
	if err := transports.TrustAlso([]byte("no PEM")); !errors.As(err, new(*CABundleError)) {
		t.Errorf("%v, want a *CABundleError", err)
	}
	if err := transports.TrustAlso(bundle); err != nil {
		t.Fatal(err)
	}
	if err := reaches(nil); err != nil {
		t.Errorf("with the file: %v", err)
	}
	if err := transports.TrustAlso([]byte("no PEM")); err == nil || reaches(nil) != nil {
		t.Error("a file that cannot be read has taken the place of a good one")
	}
	if err := reaches(otherCA(t)); err == nil {
		t.Error("an object's bundle did not take the place of the file")
	}
	if err := transports.TrustAlso(otherCA(t)); err != nil {
		t.Fatal(err)
	}
	if err := reaches(nil); err == nil {
		t.Error("the certificate is trusted though it is no longer in the file")
	}
}

// otherCA is the certificate of nobody in this test.
func otherCA(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func TestLookupTriesTheAbsoluteNameFirst(t *testing.T) {
	t.Parallel()
	zone := &names{answers: map[string][][]netip.Addr{
		"auth.example.com.": {addresses("127.0.0.1")},
		"auth.example.com":  {addresses("127.0.0.9")}, // what a search list would make of it
		"keycloak.auth.svc": {addresses("127.0.0.2")}, // only by the search list
		"localhost":         {addresses("127.0.0.3")},
		"empty.example.":    {nil},
	}}
	d := policyDialer{resolver: zone}
	for host, want := range map[string]string{
		"auth.example.com": "[127.0.0.1]", "keycloak.auth.svc": "[127.0.0.2]", "localhost": "[127.0.0.3]", "127.0.0.4": "[127.0.0.4]", "empty.example": "[]",
	} {
		if got, err := d.lookup(t.Context(), host); err != nil || fmt.Sprint(got) != want {
			t.Errorf("lookup(%q) = %v, %v; want %s", host, got, err, want)
		}
	}
	for _, host := range []string{"gone.example", "empty.example"} {
		conn, err := d.DialContext(t.Context(), "tcp", host+":443")
		if dns, ok := errors.AsType[*net.DNSError](err); conn != nil || !ok || !dns.IsNotFound {
			t.Errorf("dial %s = %v, %v; want no such host", host, conn, err)
		}
	}
}

func TestDialTriesTheNextAddress(t *testing.T) {
	t.Parallel()
	listener, port, accepted := listen(t, "127.0.0.1:0")
	zone := &names{answers: map[string][][]netip.Addr{"auth.example.": {addresses("::1", "127.0.0.77", "127.0.0.1")}}} // nobody listens at the first two
	conn, err := policyDialer{policy: loopback(t), resolver: zone}.DialContext(t.Context(), "tcp", "auth.example:"+port)
	if err != nil {
		t.Fatal(err)
	}
	if got := conn.RemoteAddr().String(); got != listener.Addr().String() {
		t.Errorf("connected to %s", got)
	}
	_ = conn.Close()
	waitFor(t, func() bool { return accepted.Load() == 1 })
}

func TestDialControlHasTheLastWord(t *testing.T) {
	t.Parallel()
	_, port, accepted := listen(t, "127.0.0.1:0")
	if conn, err := (policyDialer{}).dialFirst(t.Context(), addresses("127.0.0.1"), port); !refused(err) {
		t.Errorf("dial past the first check = %v, %v; want a refusal at the socket", conn, err)
	}
	if got := accepted.Load(); got != 0 {
		t.Errorf("%d connections, want 0", got)
	}
}

func TestDialControlRefusesWhatIsNoAddress(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "localhost:443", "1.1.1.1", "1.1.1.1:99999"} {
		err := policyDialer{}.control(t.Context(), "tcp", address, nil)
		if refused, ok := errors.AsType[*RefusedError](err); !ok || refused.Why != WhyInvalid {
			t.Errorf("%q: got %v", address, err)
		}
	}
}

// What a server may cost, whatever it sends.
func TestTransportLimits(t *testing.T) {
	t.Parallel()
	type limits struct {
		headerBytes                                  int64
		conns, idleConnsPerHost, idleConns           int
		streamBuffer, connBuffer                     int
		handshake, header, idle, pingAfter, pingWait time.Duration
		compression, http2                           bool
	}
	got := func(t *Transports) limits {
		tr := t.newTransport(nil, nil)
		return limits{
			tr.MaxResponseHeaderBytes, tr.MaxConnsPerHost, tr.MaxIdleConnsPerHost, tr.MaxIdleConns, tr.HTTP2.MaxReceiveBufferPerStream, tr.HTTP2.MaxReceiveBufferPerConnection,
			tr.TLSHandshakeTimeout, tr.ResponseHeaderTimeout, tr.IdleConnTimeout, tr.HTTP2.SendPingTimeout, tr.HTTP2.PingTimeout, !tr.DisableCompression, tr.ForceAttemptHTTP2,
		}
	}
	want := limits{65536, 16, 16, 32, 131072, 1048576, 10 * time.Second, 15 * time.Second, 90 * time.Second, 5 * time.Second, 5 * time.Second, false, true}
	if got := got(&Transports{}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	want.conns, want.idleConnsPerHost = 5, 5
	if got := got(&Transports{MaxConnsPerHost: 5}); got != want {
		t.Errorf("five connections: got %+v, want %+v", got, want)
	}
}

func TestNameWithOpenAndClosedAddresses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ allowed, addrs, want string }{
		{"", "8.8.8.8 1.1.1.1", "[8.8.8.8 1.1.1.1]"},
		{"", "8.8.8.8 10.0.0.1", "refused"},
		{"", "10.0.0.1 8.8.8.8", "refused"},
		{"10.0.0.0/8", "8.8.8.8 192.168.0.1", "refused"},
		{"10.0.0.0/8", "8.8.8.8 10.0.0.1", "[8.8.8.8 10.0.0.1]"},
		{"127.0.0.0/8", "::1 127.0.0.1", "[127.0.0.1]"}, // localhost
		{"10.0.0.0/8", "10.0.0.1 192.168.0.1 fe80::1", "[10.0.0.1]"},
		{"10.0.0.0/8", "192.168.0.1", "refused"},
	} {
		allowed, err := ParsePrefixes(tc.allowed)
		if err != nil {
			t.Fatal(err)
		}
		open, err := policyDialer{policy: Policy{Allowed: allowed}}.open(addresses(strings.Fields(tc.addrs)...))
		got := fmt.Sprint(open)
		if refused(err) {
			got = "refused"
		}
		if got != tc.want {
			t.Errorf("with %q open, %s is %s, want %s", tc.allowed, tc.addrs, got, tc.want)
		}
	}
}

func TestInterleavedAlternatesAddressFamilies(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"1.0.0.1":                         "[1.0.0.1]",
		"1.0.0.1 1.0.0.2 2a00::1 2a00::2": "[1.0.0.1 2a00::1 1.0.0.2 2a00::2]",
		"2a00::1 2a00::2 2a00::3 1.0.0.1": "[2a00::1 1.0.0.1 2a00::2 2a00::3]",
		"1.0.0.1 1.0.0.2 1.0.0.3 1.0.0.4 1.0.0.5 1.0.0.6 1.0.0.7 1.0.0.8": "[1.0.0.1 1.0.0.2 1.0.0.3 1.0.0.4 1.0.0.5 1.0.0.6]",
	} {
		if got := fmt.Sprint(interleaved(addresses(strings.Fields(in)...))); got != want {
			t.Errorf("interleaved(%s) = %s, want %s", in, got, want)
		}
	}
}

// listen counts the connections that arrive and closes them.
func listen(t *testing.T, address string) (net.Listener, string, *atomic.Int64) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Skipf("listen on %s: %v", address, err)
	}
	accepted := new(atomic.Int64)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			accepted.Add(1)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close() })
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return listener, port, accepted
}

func refused(err error) bool {
	_, ok := errors.AsType[*RefusedError](err)
	return ok
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	limit := time.After(10 * time.Second)
	for !done() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatal("waited for 10 s")
		}
	}
}
