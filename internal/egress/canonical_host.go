// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
)

const (
	maxNameLength  = 253 // RFC 1035, less the root's length byte and dot
	maxLabelLength = 63
)

// canonicalIPv6 takes what stands between brackets.
func canonicalIPv6(host string) (string, error) {
	addr, err := netip.ParseAddr(host)
	switch {
	case err != nil || !addr.Is6():
		return "", &EndpointError{"what stands in brackets is no IPv6 address: write [ADDRESS]"}
	case addr.Zone() != "":
		return "", &EndpointError{"the IPv6 address has a zone: remove the % and what follows"}
	}
	return addr.String(), nil
}

// canonicalName takes a host name or an IPv4 address and returns the only form in which consent and pacing know it.
func canonicalName(host string) (string, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		if !addr.Is4() {
			return "", &EndpointError{"the IPv6 address needs brackets: write [ADDRESS]"}
		}
		return addr.String(), nil // ParseAddr takes no leading zeros, so this is the input
	}
	ascii := host
	if !isASCII(host) {
		// The same profile as net/http applies before it dials, so no request goes to another host than the one consented to.
		var err error
		if ascii, err = idna.Lookup.ToASCII(host); err != nil {
			return "", &EndpointError{"the host is no valid international domain name: write it in punycode (xn--...)"}
		}
	}
	name := strings.TrimSuffix(strings.ToLower(ascii), ".")
	if endsInNumber(name) {
		return "", &EndpointError{"the host ends in a number but is no IPv4 address: write four decimal numbers without leading zeros, such as 192.0.2.1, or a name"}
	}
	if !isName(name) {
		return "", &EndpointError{"the host is no valid name: write dot-separated labels of letters, digits and hyphens, at most 253 characters"}
	}
	return name, nil
}

// endsInNumber follows the URL standard's "ends in a number" check (url.spec.whatwg.org): such a host is an IPv4 address
// to some resolvers, in decimal, octal or hex and with one to four parts.
func endsInNumber(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	if digits, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

// isName takes lower case. The underscore is no hostname character, but private DNS has it.
func isName(name string) bool {
	if name == "" || len(name) > maxNameLength {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > maxLabelLength || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
