// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

const (
	maxPools               = 512
	maxIdleConns           = 32
	defaultMaxConnsPerHost = 16 // twice the gate's default, as a cancelled dial still counts for a moment
	maxResponseHeaderBytes = 64 << 10
	maxStreamBuffer        = 128 << 10 // of HTTP/2; by default a server may fill 4 MiB before anyone reads
	maxConnBuffer          = 1 << 20
	responseHeaderTimeout  = 15 * time.Second
	idleConnTimeout        = 90 * time.Second
	pingTimeout            = 5 * time.Second
)

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

// newTransport returns the transport of one pool. Each pool has a fixed proxy or none, so that a direct pool cannot bypass the policy, and the others
// connect only to their proxy.
func (t *Transports) newTransport(roots *x509.CertPool, proxy *url.URL) *http.Transport {
	conns := t.MaxConnsPerHost
	if conns <= 0 {
		conns = defaultMaxConnsPerHost
	}
	transport := &http.Transport{
		DialContext:            t.counted(policyDialer{policy: t.Policy, resolver: t.Resolver}.DialContext),
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		ForceAttemptHTTP2:      true, // a custom DialContext would disable it
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
			// Without pings, a connection whose peer disappeared silently would fail every request to the endpoint.
			SendPingTimeout: pingTimeout, PingTimeout: pingTimeout,
		},
	}
	if proxy != nil {
		transport.Proxy = http.ProxyURL(proxy)
		transport.DialContext = t.counted((&net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive}).DialContext)
		transport.DialTLSContext = t.dialProxy(transport.DialContext)
		transport.OnProxyConnectResponse = proxyAnswer
	}
	return transport
}

// proxyAnswer makes a proxy's refusal an error that can be told from an endpoint's.
func proxyAnswer(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	return &ProxyRefusedError{Status: answer.StatusCode}
}

// A ProxyRefusedError is a proxy's answer to CONNECT that is no 200: a proxy lets nothing through to this endpoint, or wants a password.
type ProxyRefusedError struct{ Status int }

func (e *ProxyRefusedError) Error() string { return fmt.Sprintf("the proxy answers HTTP %d", e.Status) }

// RefusedByProxy tells the error to packages that do not import this one.
func (e *ProxyRefusedError) RefusedByProxy() {}
