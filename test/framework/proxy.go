// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// StartProxy starts an HTTP proxy on loopback, which connects each host:port of routes to the address that stands in for it, and refuses all others. It
// returns the proxy's URL, for HTTPS_PROXY.
func StartProxy(ctx context.Context, routes map[string]string) (url string, stop func() error, err error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("listen for a proxy: %w", err)
	}
	proxy := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { connect(w, r, routes) }),
		ReadHeaderTimeout: 10 * time.Second,
	}
	go func() { _ = proxy.Serve(listener) }() // it always ends with ErrServerClosed
	return "http://" + listener.Addr().String(), proxy.Close, nil
}

// connect is the CONNECT method of RFC 9110 section 9.3.6.
func connect(w http.ResponseWriter, r *http.Request, routes map[string]string) {
	address, known := routes[r.Host]
	if r.Method != http.MethodConnect || !known {
		http.Error(w, "nothing stands in for "+r.Host, http.StatusBadGateway)
		return
	}
	target, err := new(net.Dialer).DialContext(r.Context(), "tcp", address)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer func() { _ = target.Close() }()
	w.WriteHeader(http.StatusOK)
	source, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = source.Close() }()
	go func() {
		_, _ = io.Copy(target, buffered)
		_ = target.Close()
	}()
	_, _ = io.Copy(source, target)
}
