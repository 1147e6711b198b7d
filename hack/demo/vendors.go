// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// vendors are the hosts that the operator knows by itself. In the demo, stand-ins answer for them, so that manifests for the real vendors work
// unchanged.
var vendors = map[string]exchangetest.System{
	"api.apsis.one:443":               exchangetest.Apsis,
	"api-apac.apsis.one:443":          exchangetest.Apsis,
	"api.experiture.ai:443":           exchangetest.Experiture,
	"ims-na1.adobelogin.com:443":      exchangetest.Adobe,
	"ims-na1-stg1.adobelogin.com:443": exchangetest.Adobe,
	"platform.adobe.io:443":           exchangetest.Adobe,
}

// vendorNames returns the names for which the stand-ins need certificates.
func vendorNames() []string {
	var names []string
	for address := range vendors {
		host, _, _ := net.SplitHostPort(address)
		names = append(names, host)
	}
	return names
}

// divertVendors starts a proxy that connects vendors' hosts to their stand-ins, and sets it as the proxy of all processes started from now on. Other
// hosts are refused: the demo needs no network. Loopback addresses bypass the proxy (golang.org/x/net/http/httpproxy).
func divertVendors(ctx context.Context, endpoints *exchangetest.Server) (stop func() error, err error) {
	routes := map[string]string{}
	for address, system := range vendors {
		routes[address] = endpoints.Host(system)
	}
	proxy, stop, err := framework.StartProxy(ctx, routes)
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]string{"HTTPS_PROXY": proxy, "NO_PROXY": ""} {
		if err := os.Setenv(name, value); err != nil {
			return nil, errors.Join(fmt.Errorf("set %s: %w", name, err), stop())
		}
	}
	return stop, nil
}
