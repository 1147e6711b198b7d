// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
)

// For returns a RoundTripper for the requests of one namespace. It trusts the PEM certificates of caBundle instead of the system's roots and those of
// TrustAlso; if caBundle is empty, it trusts those. A bundle that cannot be read is a *CABundleError. caBundle never applies to a proxy.
//
// The RoundTripper sends https requests only, with TLS 1.2 or newer, and never follows a redirect by itself; give an
// http.Client that uses it NoRedirect. It neither requests nor decodes compression, so what is read is what was sent. Its
// errors wrap *RefusedError (the address is not allowed) and *EndpointError (EndpointOf refuses the URL).
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

// NoRedirect is for http.Client.CheckRedirect: it returns the redirect itself and does not follow it.
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

// check refuses what must not be sent, with or without a proxy. It returns the request with its host in ASCII, so that nothing else maps a Unicode name
// differently than consent did.
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
		return nil, errProxy // its text may contain the proxy's password
	}
	return proxy, nil
}

var errProxy = errors.New("pick a proxy: HTTPS_PROXY is not a valid URL")
