// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxPools               = 512
	maxBundles             = 32  // a bundle of 64 KiB takes several times as much when it is parsed
	maxOpenConns           = 256 // beyond that idle ones are closed: each takes tens of KiB
	maxIdleConns           = 32
	defaultMaxConnsPerHost = 16 // twice the gate's default, as a cancelled dial still counts for a moment
	maxResponseHeaderBytes = 64 << 10
	maxStreamBuffer        = 128 << 10 // of HTTP/2, by default 4 MiB that a server may fill before anyone reads
	maxConnBuffer          = 1 << 20
	tlsHandshakeTimeout    = 10 * time.Second
	responseHeaderTimeout  = 15 * time.Second
	idleConnTimeout        = 90 * time.Second
	pingTimeout            = 5 * time.Second
)

// Transports hands out the HTTP transports of the operator: one connection pool for each namespace and CA bundle, so that no connection is
// shared between namespaces. The zero value connects to public addresses, without a proxy, and trusts the system's roots. Set the fields
// before the first call; it is then safe for concurrent use and must not be copied.
type Transports struct {
	Policy Policy
	// Proxy returns the proxy for a request, usually http.ProxyFromEnvironment. Through a proxy only the proxy's own address
	// is connected to, whatever it is, and the consent to hosts is the guard; an IP address in the URL is still checked.
	// nil: no proxy.
	Proxy func(*http.Request) (*url.URL, error)
	// Resolver looks names up. nil: net.DefaultResolver.
	Resolver Resolver
	// MaxConnsPerHost bounds the connections of one pool to one endpoint. 0: 16.
	MaxConnsPerHost int

	open atomic.Int64 // connections

	mu      sync.Mutex
	pools   map[poolKey]*pool
	bundles map[bundleID]*bundle
	system  *x509.CertPool // nil: the system's roots alone
	turn    uint64
}

// bundleID is the hash of a CA bundle. Zero: there is none, and the system's roots count.
type bundleID [sha256.Size]byte

type bundle struct {
	roots  *x509.CertPool
	usedAt uint64
}

type poolKey struct {
	namespace string
	bundle    bundleID
	proxy     string // empty: none
}

type pool struct {
	transport *http.Transport
	usedAt    uint64 // the turn of its last use: the smallest is evicted
}

// For returns a RoundTripper for the requests of one namespace. It trusts the PEM certificates of caBundle instead of the system's roots and
// those of TrustAlso; an empty one means the latter two. A bundle that cannot be read is a *CABundleError. A proxy is never checked
// against caBundle.
//
// The RoundTripper sends https requests only, with TLS 1.2 or newer, and never follows a redirect by itself; give an
// http.Client that uses it NoRedirect. It asks for no compression and undoes none, so what is read is what was sent. Its
// errors keep *RefusedError (the address is not open) and *EndpointError (the URL is not one that EndpointOf takes) for
// errors.As.
func (t *Transports) For(namespace string, caBundle []byte) (http.RoundTripper, error) {
	r := &roundTripper{transports: t, namespace: namespace}
	if len(caBundle) == 0 {
		return r, nil
	}
	r.bundle = sha256.Sum256(caBundle)
	var err error
	r.roots, err = t.rootsOf(r.bundle, caBundle)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// rootsOf parses a bundle, once as long as no more than maxBundles of them are in use.
func (t *Transports) rootsOf(id bundleID, caBundle []byte) (*x509.CertPool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turn++
	if known := t.bundles[id]; known != nil {
		known.usedAt = t.turn
		return known.roots, nil
	}
	roots := x509.NewCertPool()
	if err := addCertificates(roots, caBundle); err != nil {
		return nil, err
	}
	if len(t.bundles) >= maxBundles {
		t.forgetBundle()
	}
	if t.bundles == nil {
		t.bundles = map[bundleID]*bundle{}
	}
	t.bundles[id] = &bundle{roots: roots, usedAt: t.turn}
	return roots, nil
}

// forgetBundle drops the bundle that has not been used for longest, and its pools.
func (t *Transports) forgetBundle() {
	var oldest bundleID
	least := t.turn + 1
	for id, b := range t.bundles {
		if b.usedAt < least {
			oldest, least = id, b.usedAt
		}
	}
	delete(t.bundles, oldest)
	for key := range t.pools {
		if key.bundle == oldest {
			t.drop(key)
		}
	}
}

// TrustAlso makes the PEM certificates of bundle count beside the system's roots, instead of those of an earlier call. It is for
// --ca-file. A bundle that cannot be read is a *CABundleError, and changes nothing.
func (t *Transports) TrustAlso(bundle []byte) error {
	system, err := x509.SystemCertPool()
	if err != nil {
		return fmt.Errorf("read the system's roots: %w", err)
	}
	if err := addCertificates(system, bundle); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.system = system
	for key := range t.pools {
		t.drop(key)
	}
	return nil
}

// systemRoots are the roots that count where there is no bundle. Nil: the system's alone.
func (t *Transports) systemRoots() *x509.CertPool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.system
}

// CloseIdleConnections closes the connections that no request uses.
func (t *Transports) CloseIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.pools {
		p.transport.CloseIdleConnections()
	}
}

// NoRedirect is for http.Client.CheckRedirect: the redirect itself is the answer, and nothing is sent to where it points.
func NoRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

type roundTripper struct {
	transports *Transports
	namespace  string
	bundle     bundleID
	roots      *x509.CertPool
}

func (r *roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	checked, err := r.check(req)
	if err == nil {
		var proxy *url.URL
		if proxy, err = r.transports.proxyFor(checked); err == nil {
			return r.transports.pool(r.namespace, r.bundle, r.roots, proxy).RoundTrip(checked)
		}
	}
	if req.Body != nil {
		_ = req.Body.Close() // the contract of http.RoundTripper
	}
	return nil, err
}

// check refuses what must not leave, with or without a proxy. The request that it returns names its host in ASCII, so
// that nothing below maps a Unicode name by another table than consent did.
func (r *roundTripper) check(req *http.Request) (*http.Request, error) {
	if req.URL == nil {
		return nil, &EndpointError{"the request has no URL"}
	}
	endpoint, err := endpointOf(req.URL)
	if err != nil {
		return nil, err
	}
	if addr, err := netip.ParseAddr(endpoint.Host); err == nil {
		if err := r.transports.Policy.Check(addr); err != nil {
			return nil, err
		}
	}
	if isASCII(req.URL.Host) {
		return req, nil
	}
	ascii := req.Clone(req.Context())
	ascii.URL.Host = endpoint.Host // a name: an address is ASCII
	if req.URL.Port() != "" {
		ascii.URL.Host = endpoint.String()
	}
	ascii.Host = ascii.URL.Host
	return ascii, nil
}

func (t *Transports) proxyFor(req *http.Request) (*url.URL, error) {
	if t.Proxy == nil {
		return nil, nil
	}
	proxy, err := t.Proxy(req)
	if err != nil {
		return nil, errProxy // its own text may repeat the proxy's password
	}
	return proxy, nil
}

var errProxy = errors.New("pick a proxy: HTTPS_PROXY is no valid URL")

func (t *Transports) pool(namespace string, bundle bundleID, roots *x509.CertPool, proxy *url.URL) *http.Transport {
	key := poolKey{namespace: namespace, bundle: bundle}
	if proxy != nil {
		key.proxy = proxy.String()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turn++
	p, ok := t.pools[key]
	if !ok {
		if t.pools == nil {
			t.pools = map[poolKey]*pool{}
		}
		if len(t.pools) >= maxPools {
			t.drop(t.byAge()[0])
		}
		if bundle == (bundleID{}) {
			roots = t.system
		}
		p = &pool{transport: t.newTransport(roots, proxy)}
		t.pools[key] = p
	}
	p.usedAt = t.turn
	return p.transport
}

// byAge are the pools, that which has not been used for longest first.
func (t *Transports) byAge() []poolKey {
	keys := slices.Collect(maps.Keys(t.pools))
	slices.SortFunc(keys, func(a, b poolKey) int { return cmp.Compare(t.pools[a].usedAt, t.pools[b].usedAt) })
	return keys
}

// drop forgets a pool. A request that still runs on it ends undisturbed; its connection goes at the idle timeout.
func (t *Transports) drop(key poolKey) {
	t.pools[key].transport.CloseIdleConnections()
	delete(t.pools, key)
}

// newTransport builds one pool. The proxy is fixed for each pool, so a direct pool has no way around the policy and a
// proxied one connects to its proxy and to nothing else.
func (t *Transports) newTransport(roots *x509.CertPool, proxy *url.URL) *http.Transport {
	conns := t.MaxConnsPerHost
	if conns <= 0 {
		conns = defaultMaxConnsPerHost
	}
	transport := &http.Transport{
		DialContext:            t.counted(policyDialer{policy: t.Policy, resolver: t.Resolver}.DialContext),
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		ForceAttemptHTTP2:      true, // a DialContext of our own would switch it off
		DisableCompression:     true,
		MaxConnsPerHost:        conns,
		MaxIdleConnsPerHost:    conns,
		MaxIdleConns:           maxIdleConns,
		MaxResponseHeaderBytes: maxResponseHeaderBytes,
		TLSHandshakeTimeout:    tlsHandshakeTimeout,
		ResponseHeaderTimeout:  responseHeaderTimeout,
		IdleConnTimeout:        idleConnTimeout,
		HTTP2: &http.HTTP2Config{
			MaxReceiveBufferPerStream: maxStreamBuffer, MaxReceiveBufferPerConnection: maxConnBuffer,
			// A connection whose peer has gone silently would otherwise take every request of an endpoint with it.
			SendPingTimeout: pingTimeout, PingTimeout: pingTimeout,
		},
	}
	if proxy != nil {
		transport.Proxy = http.ProxyURL(proxy)
		transport.DialContext = t.counted((&net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive}).DialContext)
		transport.DialTLSContext = t.dialProxy(transport.DialContext)
	}
	return transport
}

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// dialProxy connects to a proxy that is reached by TLS. The endpoint's bundle is not for it: whoever may name a bundle could otherwise be
// the proxy, and get its password.
func (t *Transports) dialProxy(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		raw, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, tlsHandshakeTimeout)
		defer cancel()
		conn := tls.Client(raw, &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, RootCAs: t.systemRoots()})
		if err := conn.HandshakeContext(ctx); err != nil {
			_ = raw.Close()
			return nil, err
		}
		return conn, nil
	}
}

// counted counts the connections of dial. Where there are many, idle ones make room, those of the pool that has not been used for longest
// first.
func (t *Transports) counted(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if t.open.Load() >= maxOpenConns {
			t.closeIdle()
		}
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		t.open.Add(1)
		return &countedConn{Conn: conn, closed: sync.OnceFunc(func() { t.open.Add(-1) })}, nil
	}
}

func (t *Transports) closeIdle() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, key := range t.byAge() {
		if t.open.Load() < maxOpenConns {
			return
		}
		t.pools[key].transport.CloseIdleConnections()
	}
}

type countedConn struct {
	net.Conn
	closed func()
}

func (c *countedConn) Close() error {
	c.closed()
	return c.Conn.Close()
}
