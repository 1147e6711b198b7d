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
