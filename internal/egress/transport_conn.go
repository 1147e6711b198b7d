// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"
)

const (
	maxOpenConns        = 256 // beyond that idle ones are closed: each takes tens of KiB
	tlsHandshakeTimeout = 10 * time.Second
)

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// dialProxy connects to a proxy with TLS. It does not trust the endpoint's bundle: otherwise the author of a bundle could impersonate the proxy and get
// its password.
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

// counted counts the connections of dial. If there are too many, it closes idle ones, those of the least recently used pool first.
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
