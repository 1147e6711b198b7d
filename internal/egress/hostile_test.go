// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// hostileURLs all try to reach the loopback listener at PORT, or another place inside. DNS for them is hostileZone.
var hostileURLs = []string{
	// IPv4 literals
	"https://127.0.0.1:PORT/", "https://127.0.0.2:PORT/", "https://127.255.255.254:PORT/", "https://0.0.0.0:PORT/", "https://0.0.0.1:PORT/",
	"https://10.0.0.1/", "https://172.16.0.1/", "https://172.31.255.255/", "https://192.168.0.1/", "https://100.64.0.1/", "https://169.254.1.1/",
	"https://224.0.0.1/", "https://240.0.0.1/", "https://255.255.255.255/", "https://192.0.2.1/", "https://198.18.0.1/",
	"https://169.254.169.254/latest/meta-data/", "https://100.100.100.200/", "https://168.63.129.16/", "https://192.0.0.192/",
	// IPv4 in other clothes
	"https://2130706433:PORT/", "https://0x7f000001:PORT/", "https://0X7F.0x0.0x0.0x1:PORT/", "https://017700000001:PORT/", "https://0177.0.0.1:PORT/",
	"https://0177.0.0.01:PORT/", "https://127.1:PORT/", "https://127.0.1:PORT/", "https://0x7f.1:PORT/", "https://0:PORT/", "https://00000:PORT/",
	"https://127.0.0.1.:PORT/", "https://127.00.00.01:PORT/", "https://383.0.0.1:PORT/", "https://2852039166/", "https://0xa9fea9fe/",
	"https://１２７.０.０.１:PORT/", "https://①②⑦.⓪.⓪.①:PORT/", "https://127。0。0。1:PORT/", "https://127．0．0．1:PORT/", "https://127｡0｡0｡1:PORT/",
	"https://%31%32%37.0.0.1:PORT/", "https://%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1:PORT/", "https://[127.0.0.1]:PORT/",
	// IPv6 literals
	"https://[::1]:PORT/", "https://[0:0:0:0:0:0:0:1]:PORT/", "https://[::]:PORT/", "https://[::ffff:127.0.0.1]:PORT/", "https://[::ffff:7f00:1]:PORT/",
	"https://[0:0:0:0:0:FFFF:7F00:0001]:PORT/", "https://[::ffff:0:127.0.0.1]:PORT/", "https://[::127.0.0.1]:PORT/", "https://[64:ff9b::7f00:1]:PORT/",
	"https://[64:ff9b:1::7f00:1]:PORT/", "https://[2002:7f00:1::]:PORT/", "https://[2002:a00:1::1]/", "https://[2001:0:7f00:1::]/", "https://[fe80::1]:PORT/",
	"https://[fe80::1%25lo]:PORT/", "https://[::1%25lo]:PORT/", "https://[::1%lo]:PORT/", "https://[fc00::1]/", "https://[fd00:ec2::254]/",
	"https://[fec0::1]/", "https://[ff02::1]/", "https://[2001:db8::1]/", "https://[100::1]/", "https://::1:PORT/", "https://[::1:PORT/",
	// user info, separators, schemes
	"https://auth.example.com@127.0.0.1:PORT/", "https://auth.example.com:443@127.0.0.1:PORT/", "https://127.0.0.1:PORT@auth.example.com/",
	"https://@127.0.0.1:PORT/", `https://127.0.0.1:PORT\@auth.example.com/`, `https:\\127.0.0.1:PORT\`, "https://127.0.0.1:PORT#@auth.example.com/",
	"https://127.0.0.1:PORT/#", "https:127.0.0.1:PORT/", "https:///127.0.0.1:PORT/", "//127.0.0.1:PORT/", "http://127.0.0.1:PORT/", "HTTP://localhost:PORT/",
	"ftp://127.0.0.1:PORT/", "file:///etc/passwd", "gopher://127.0.0.1:PORT/_x", "unix:///var/run/docker.sock", "https+unix://x/", "https://127.0.0.1:PORT /",
	"https://127.0.0.1\t:PORT/", "https://127.0.0.1\x00.example.com:PORT/", "https://127.0.0.1%00.example.com:PORT/", "https://127.0.0.1:PORT:443/",
	// names
	"https://localhost:PORT/", "https://LOCALHOST:PORT/", "https://localhost.:PORT/", "https://private.example:PORT/", "https://PRIVATE.example.:PORT/",
	"https://private。example:PORT/", "https://ｐrivate.example:PORT/", "https://public-then-private.example:PORT/", "https://private-then-public.example:PORT/",
	"https://mapped.example:PORT/", "https://loopback6.example:PORT/", "https://unspecified.example:PORT/", "https://nat64.example:PORT/", "https://sixtofour.example:PORT/",
	"https://metadata.google.internal/", "https://kubernetes.default.svc/", "https://wildcard.127.0.0.1.example:PORT/",
}

func hostileZone() *names {
	return &names{answers: map[string][][]netip.Addr{
		"localhost":                    {addresses("127.0.0.1")},
		"localhost.":                   {addresses("127.0.0.1", "::1")},
		"private.example.":             {addresses("127.0.0.1")},
		"PRIVATE.example.":             {addresses("127.0.0.1")},
		"public-then-private.example.": {addresses("8.8.8.8", "127.0.0.1")},
		"private-then-public.example.": {addresses("127.0.0.1", "8.8.8.8")},
		"mapped.example.":              {addresses("::ffff:127.0.0.1")},
		"loopback6.example.":           {addresses("::1")},
		"unspecified.example.":         {addresses("0.0.0.0", "::")},
		"nat64.example.":               {addresses("64:ff9b::7f00:1")},
		"sixtofour.example.":           {addresses("2002:7f00:1::1")},
		"metadata.google.internal.":    {addresses("169.254.169.254")},
		"kubernetes.default.svc":       {addresses("10.96.0.1")},
		"wildcard.127.0.0.1.example.":  {addresses("127.0.0.1")},
		"LOCALHOST":                    {addresses("127.0.0.1")},
		"redirector.example.":          {addresses("127.0.0.1")},
	}}
}

// refusedForGood tells a refusal from a connection that failed: nothing was dialled.
func refusedForGood(err error) bool {
	_, endpoint := errors.AsType[*EndpointError](err)
	return endpoint || refused(err)
}

// visit goes the operator's way: the URL must name an endpoint, and then the transport must agree.
func visit(t *testing.T, rt http.RoundTripper, rawURL string) error {
	t.Helper()
	if _, err := EndpointOf(rawURL); err != nil {
		return err
	}
	_, err := get(t, rt, rawURL)
	return err
}

func TestHostileURLsReachNothing(t *testing.T) {
	t.Parallel()
	if len(hostileURLs) < 60 {
		t.Fatalf("%d hostile URLs, want at least 60", len(hostileURLs))
	}
	_, port, accepted := listen(t, "127.0.0.1:0")
	_, _, accepted6 := listen(t, "[::1]:"+port)
	rt, err := (&Transports{Resolver: hostileZone()}).For("ns", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range hostileURLs {
		if err := visit(t, rt, strings.ReplaceAll(pattern, "PORT", port)); !refusedForGood(err) {
			t.Errorf("%s: %v; want a refusal", pattern, err)
		}
	}
	if got := accepted.Load() + accepted6.Load(); got != 0 {
		t.Errorf("%d connections reached the listener, want 0", got)
	}
}

// The control: with loopback open the same listener is reached by the URLs that name it and by DNS, so its count of 0
// above is the policy's doing.
func TestHostileURLsReachAnOpenPolicy(t *testing.T) {
	t.Parallel()
	_, port, accepted := listen(t, "127.0.0.1:0")
	rt, err := (&Transports{Policy: loopback(t), Resolver: hostileZone()}).For("ns", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, pattern := range []string{
		"https://127.0.0.1:PORT/", "https://[::ffff:127.0.0.1]:PORT/", "https://private.example:PORT/", "https://mapped.example:PORT/", "https://localhost:PORT/",
		"https://private。example:PORT/",
	} {
		if err := visit(t, rt, strings.ReplaceAll(pattern, "PORT", port)); err == nil || refusedForGood(err) {
			t.Errorf("%s: %v; want a connection that fails later", pattern, err)
		}
		waitFor(t, func() bool { return accepted.Load() >= int64(i+1) })
	}
}

// A redirector that is open must not lead to what is not: NoRedirect stops at it, and a client that follows nevertheless
// is stopped by the transport.
func TestRedirectsReachNothing(t *testing.T) {
	t.Parallel()
	_, victim, accepted := listen(t, "127.0.0.1:0")
	server, redirector, bundle := tlsServer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", r.URL.Query().Get("to"))
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	if !strings.HasPrefix(server.Listener.Addr().String(), "127.0.0.1:") {
		t.Skip("not an IPv4 loopback")
	}
	// Redirector and victim share the loopback address, so the first is reached by a transport with loopback open and its
	// answers are followed by one without.
	open, err := (&Transports{Policy: loopback(t), Resolver: hostileZone()}).For("ns", bundle)
	if err != nil {
		t.Fatal(err)
	}
	closed, err := (&Transports{Resolver: hostileZone()}).For("ns", bundle)
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range hostileURLs {
		target := strings.ReplaceAll(pattern, "PORT", victim)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://127.0.0.1:"+redirector+"/", strings.NewReader("client_secret=x"))
		if err != nil {
			t.Fatal(err)
		}
		query := req.URL.Query()
		query.Set("to", target)
		req.URL.RawQuery = query.Encode()
		resp, err := (&http.Client{Transport: open, CheckRedirect: NoRedirect}).Do(req)
		if err != nil {
			if strings.Contains(err.Error(), "parse Location") || strings.Contains(err.Error(), "Location header") {
				continue // net/http could not even read where to go
			}
			t.Errorf("redirect to %s: %v; want the redirect itself", pattern, err)
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusTemporaryRedirect {
			t.Errorf("redirect to %s: status %d; want 307", pattern, resp.StatusCode)
		}
		follower := &http.Client{Transport: firstThen{host: req.URL.Host, first: open, then: closed}}
		req.Body, _ = req.GetBody()
		resp, err = follower.Do(req)
		if err == nil {
			_ = resp.Body.Close()
			if resp.Request.URL.Host != req.URL.Host {
				t.Errorf("redirect to %s was followed: %s", pattern, resp.Status)
			}
		}
	}
	if got := accepted.Load(); got != 0 {
		t.Errorf("%d connections reached the listener, want 0", got)
	}
}

type firstThen struct {
	host        string
	first, then http.RoundTripper
}

func (f firstThen) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host == f.host {
		return f.first.RoundTrip(req)
	}
	return f.then.RoundTrip(req)
}

// rebinder answers with a public address to the first lookup and with loopback to the second. The first dial is cut off as
// soon as it has its answer, so that the test leaves the machine alone.
type rebinder struct {
	cut     context.CancelFunc
	lookups int
}

func (r *rebinder) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	r.lookups++
	if r.lookups == 1 {
		r.cut()
		return addresses("8.8.8.8"), nil
	}
	return addresses("127.0.0.1"), nil
}

func TestRebindingReachesNothing(t *testing.T) {
	t.Parallel()
	_, port, accepted := listen(t, "127.0.0.1:0")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	zone := &rebinder{cut: cancel}
	d := policyDialer{resolver: zone}
	if conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort("rebind.example", port)); err == nil || refused(err) {
		t.Errorf("first dial = %v, %v; want it cut off, not refused", conn, err)
	}
	if zone.lookups != 1 {
		t.Errorf("%d lookups for one dial, want 1: a second one could answer otherwise", zone.lookups)
	}
	if conn, err := d.DialContext(t.Context(), "tcp", net.JoinHostPort("rebind.example", port)); !refused(err) {
		t.Errorf("second dial = %v, %v; want a refusal", conn, err)
	}
	if got := accepted.Load(); got != 0 {
		t.Errorf("%d connections reached the listener, want 0", got)
	}
}
