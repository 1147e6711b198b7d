// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// vendors are the hosts that the operator knows by itself. In the demo their stand-ins answer in their place, so that a manifest for the real
// vendor works as it is.
var vendors = map[string]exchangetest.System{
	"api.apsis.one:443":               exchangetest.Apsis,
	"api-apac.apsis.one:443":          exchangetest.Apsis,
	"api.experiture.ai:443":           exchangetest.Experiture,
	"ims-na1.adobelogin.com:443":      exchangetest.Adobe,
	"ims-na1-stg1.adobelogin.com:443": exchangetest.Adobe,
	"platform.adobe.io:443":           exchangetest.Adobe,
}

// vendorNames are the names for which the stand-ins need certificates.
func vendorNames() []string {
	var names []string
	for address := range vendors {
		host, _, _ := net.SplitHostPort(address)
		names = append(names, host)
	}
	return names
}

// divertVendors starts a proxy that connects a vendor's host to its stand-in, and makes it the one of all processes that are started from now
// on. Other hosts are refused: the demo needs no network. Loopback addresses need no proxy (golang.org/x/net/http/httpproxy).
func divertVendors(ctx context.Context, endpoints *exchangetest.Server) (stop func() error, err error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the vendors' hosts: %w", err)
	}
	proxy := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { connect(w, r, endpoints) }),
		ReadHeaderTimeout: 10 * time.Second,
	}
	go func() { _ = proxy.Serve(listener) }() // it always ends with ErrServerClosed
	for name, value := range map[string]string{"HTTPS_PROXY": "http://" + listener.Addr().String(), "NO_PROXY": ""} {
		if err := os.Setenv(name, value); err != nil {
			return nil, errors.Join(fmt.Errorf("set %s: %w", name, err), proxy.Close())
		}
	}
	return proxy.Close, nil
}

// connect is the CONNECT method of RFC 9110 section 9.3.6, for the vendors' hosts.
func connect(w http.ResponseWriter, r *http.Request, endpoints *exchangetest.Server) {
	system, known := vendors[r.Host]
	if r.Method != http.MethodConnect || !known {
		http.Error(w, "the demo has no stand-in for "+r.Host, http.StatusBadGateway)
		return
	}
	target, err := new(net.Dialer).DialContext(r.Context(), "tcp", endpoints.Host(system))
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
