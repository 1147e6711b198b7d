package egress

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"
)

const (
	maxPools               = 128
	maxIdleConns           = 128
	defaultMaxConnsPerHost = 16 // twice the gate's default, as a cancelled dial still counts for a moment
	maxResponseHeaderBytes = 64 << 10
	tlsHandshakeTimeout    = 10 * time.Second
	responseHeaderTimeout  = 15 * time.Second
	idleConnTimeout        = 90 * time.Second
	pingTimeout            = 5 * time.Second
)

// Transports hands out the HTTP transports of the operator, one connection pool for each CA bundle in use. The zero value
// connects to public addresses, without a proxy. Set the fields before the first call; it is then safe for concurrent use
// and must not be copied.
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

	mu    sync.Mutex
	pools map[poolKey]*pool
	roots map[[sha256.Size]byte]*x509.CertPool // by the bundle
	turn  uint64
}

type poolKey struct {
	bundle [sha256.Size]byte // zero: the system's roots
	proxy  string            // empty: none
}

type pool struct {
	transport *http.Transport
	usedAt    uint64 // the turn of its last use: the smallest is evicted
}

// For returns a RoundTripper that trusts the PEM certificates of caBundle in place of the system's roots; an empty one
// means the system's roots. A bundle that cannot be read is a *CABundleError.
//
// The RoundTripper sends https requests only, with TLS 1.2 or newer, and never follows a redirect by itself; give an
// http.Client that uses it NoRedirect. It asks for no compression and undoes none, so what is read is what was sent. Its
// errors keep *RefusedError (the address is not open) and *EndpointError (the URL is not one that EndpointOf takes) for
// errors.As.
func (t *Transports) For(caBundle []byte) (http.RoundTripper, error) {
	if len(caBundle) == 0 {
		return &roundTripper{transports: t}, nil
	}
	sum := sha256.Sum256(caBundle)
	roots, err := t.rootsOf(sum, caBundle)
	if err != nil {
		return nil, err
	}
	return &roundTripper{transports: t, bundle: sum, roots: roots}, nil
}

// rootsOf parses a bundle, once as long as no more than maxPools of them are in use.
func (t *Transports) rootsOf(sum [sha256.Size]byte, caBundle []byte) (*x509.CertPool, error) {
	t.mu.Lock()
	known, ok := t.roots[sum]
	t.mu.Unlock()
	if ok {
		return known, nil
	}
	roots, err := parseCABundle(caBundle)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.roots == nil || len(t.roots) >= maxPools {
		t.roots = map[[sha256.Size]byte]*x509.CertPool{}
	}
	t.roots[sum] = roots
	return roots, nil
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
	bundle     [sha256.Size]byte
	roots      *x509.CertPool
}

func (r *roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	checked, err := r.check(req)
	if err == nil {
		var proxy *url.URL
		if proxy, err = r.transports.proxyFor(checked); err == nil {
			return r.transports.pool(r.bundle, r.roots, proxy).RoundTrip(checked)
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

func (t *Transports) pool(bundle [sha256.Size]byte, roots *x509.CertPool, proxy *url.URL) *http.Transport {
	key := poolKey{bundle: bundle}
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
			t.evict()
		}
		p = &pool{transport: t.newTransport(roots, proxy)}
		t.pools[key] = p
	}
	p.usedAt = t.turn
	return p.transport
}

// evict drops the pool that has not been used for longest. A request that still runs on it ends undisturbed; its
// connection goes at the idle timeout.
func (t *Transports) evict() {
	var oldest poolKey
	least := t.turn + 1
	for key, p := range t.pools {
		if p.usedAt < least {
			oldest, least = key, p.usedAt
		}
	}
	t.pools[oldest].transport.CloseIdleConnections()
	delete(t.pools, oldest)
}

// newTransport builds one pool. The proxy is fixed for each pool, so a direct pool has no way around the policy and a
// proxied one connects to its proxy and to nothing else.
func (t *Transports) newTransport(roots *x509.CertPool, proxy *url.URL) *http.Transport {
	conns := t.MaxConnsPerHost
	if conns <= 0 {
		conns = defaultMaxConnsPerHost
	}
	transport := &http.Transport{
		DialContext:            policyDialer{policy: t.Policy, resolver: t.Resolver}.DialContext,
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
		// A connection whose peer has gone silently would otherwise take every request of an endpoint with it.
		HTTP2: &http.HTTP2Config{SendPingTimeout: pingTimeout, PingTimeout: pingTimeout},
	}
	if proxy != nil {
		transport.Proxy = http.ProxyURL(proxy)
		transport.DialContext = (&net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive}).DialContext
	}
	return transport
}
