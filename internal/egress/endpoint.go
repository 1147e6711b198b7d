// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

const (
	httpsPort    = 443
	maxURLLength = 2048
)

// Endpoint is the host and port of a request, for which there is consent and pacing. Endpoints are equal if and only if they are the same server,
// because EndpointOf brings the host into a canonical form: lower case, no trailing dot, punycode, IP addresses as [net/netip] prints them, IPv6
// addresses without brackets.
type Endpoint struct {
	Host string
	Port uint16
}

// String returns host:port, with brackets around an IPv6 address.
func (e Endpoint) String() string {
	return net.JoinHostPort(e.Host, strconv.Itoa(int(e.Port)))
}

// EndpointOf returns the endpoint of an https URL. It refuses, with an *EndpointError, everything that two parsers could
// read differently: another scheme, user info, a fragment, a missing host, a zone, a port outside 1 to 65535, and a host
// that ends in a number without being an IP address in its canonical form (2130706433, 0x7f000001, 0177.0.0.1).
// Whether the address behind it is open is for Policy to say.
func EndpointOf(rawURL string) (Endpoint, error) {
	if len(rawURL) > maxURLLength {
		return Endpoint{}, &EndpointError{fmt.Sprintf("the URL is longer than %d characters: shorten it", maxURLLength)}
	}
	if strings.ContainsFunc(rawURL, isBlankOrControl) {
		return Endpoint{}, &EndpointError{"the URL holds a blank or a control character: remove it"}
	}
	if strings.Contains(rawURL, "#") { // url.Parse drops an empty fragment
		return Endpoint{}, &EndpointError{"the URL has a fragment: remove the # and what follows it"}
	}
	u, err := url.Parse(rawURL)
	if err != nil { // its text quotes the URL, including user info
		return Endpoint{}, &EndpointError{"the URL cannot be parsed: write https://HOST/PATH"}
	}
	return endpointOf(u)
}

// EndpointOfDomain returns the endpoint of a bare host or host:port, which is reached by https. Anything more than that
// is an *EndpointError.
func EndpointOfDomain(domain string) (Endpoint, error) {
	if strings.ContainsAny(domain, "/\\@?#%") || strings.ContainsFunc(domain, isBlankOrControl) || strings.HasSuffix(domain, ":") {
		return Endpoint{}, &EndpointError{"the domain is more than a host: write HOST or HOST:PORT, without scheme, path or user info"}
	}
	return EndpointOf("https://" + domain + "/")
}

func endpointOf(u *url.URL) (Endpoint, error) {
	switch {
	case u.Scheme != "https":
		return Endpoint{}, &EndpointError{"the URL is not https: write https://HOST/PATH"}
	case u.User != nil:
		return Endpoint{}, &EndpointError{"the URL has user info: remove what is before the @; credentials belong in the client Secret"}
	case u.Fragment != "":
		return Endpoint{}, &EndpointError{"the URL has a fragment: remove the # and what follows it"}
	case u.Opaque != "" || u.Host == "" || u.Hostname() == "":
		return Endpoint{}, &EndpointError{"the URL has no host: write https://HOST/PATH"}
	}
	return endpointOfAuthority(u.Host)
}

// endpointOfAuthority reads host, host:port, [IPv6] or [IPv6]:port. It splits by itself, as url.URL's Hostname and Port
// do not tell a bare IPv6 address from host:port.
func endpointOfAuthority(authority string) (Endpoint, error) {
	host, port, bracketed, err := splitAuthority(authority)
	if err != nil {
		return Endpoint{}, err
	}
	e := Endpoint{Port: httpsPort}
	if port != "" {
		if e.Port, err = parsePort(port); err != nil {
			return Endpoint{}, err
		}
	}
	if bracketed {
		e.Host, err = canonicalIPv6(host)
	} else {
		e.Host, err = canonicalName(host)
	}
	if err != nil {
		return Endpoint{}, err
	}
	return e, nil
}

func splitAuthority(authority string) (host, port string, bracketed bool, err error) {
	if rest, ok := strings.CutPrefix(authority, "["); ok {
		host, rest, ok = strings.Cut(rest, "]")
		port, colon := strings.CutPrefix(rest, ":")
		if !ok || (rest != "" && !colon) {
			return "", "", false, &EndpointError{"the IPv6 address is malformed: write [ADDRESS] or [ADDRESS]:PORT"}
		}
		return host, port, true, nil
	}
	host, port, _ = strings.Cut(authority, ":")
	if strings.Contains(port, ":") {
		return "", "", false, &EndpointError{"the host has more than one colon: write an IPv6 address in brackets, [ADDRESS]"}
	}
	return host, port, false, nil
}

func parsePort(port string) (uint16, error) {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return 0, &EndpointError{"the port is not a number from 1 to 65535: correct it, or leave it out for 443"}
	}
	return uint16(n), nil
}

func isBlankOrControl(r rune) bool { return r <= ' ' || r == 0x7f }
