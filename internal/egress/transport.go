// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"cmp"
	"crypto/sha256"
	"crypto/x509"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
)

// Transports provides the operator's HTTP transports: one connection pool for each namespace and CA bundle, so that no connection is
// shared between namespaces. The zero value connects to public addresses, without a proxy, and trusts the system's roots. Set the fields
// before the first call; it is then safe for concurrent use and must not be copied.
type Transports struct {
	Policy Policy
	// Proxy returns the proxy for a request, usually http.ProxyFromEnvironment. Nil: no proxy. With a proxy, the policy does not apply to the proxy's own
	// address, and names are protected only by the consent to hosts; an IP address in the URL is still checked.
	Proxy func(*http.Request) (*url.URL, error)
	// Resolver looks up names. Nil: net.DefaultResolver.
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

// bundleID is the hash of a CA bundle. Zero: none, so the system's roots are trusted.
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
	usedAt    uint64 // Transports.turn at its last use: the smallest is evicted
}

// byAge returns the pools, the least recently used first.
func (t *Transports) byAge() []poolKey {
	keys := slices.Collect(maps.Keys(t.pools))
	slices.SortFunc(keys, func(a, b poolKey) int { return cmp.Compare(t.pools[a].usedAt, t.pools[b].usedAt) })
	return keys
}

// drop removes a pool. Running requests are not affected; their connections are closed after the idle timeout.
func (t *Transports) drop(key poolKey) {
	t.pools[key].transport.CloseIdleConnections()
	delete(t.pools, key)
}

// CloseIdleConnections closes all connections that no request uses.
func (t *Transports) CloseIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.pools {
		p.transport.CloseIdleConnections()
	}
}
