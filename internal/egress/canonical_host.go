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

// canonicalIPv6 takes the text between brackets.
func canonicalIPv6(host string) (string, error) {
	addr, err := netip.ParseAddr(host)
	switch {
	case err != nil || !addr.Is6():
		return "", &EndpointError{"what is in brackets is not an IPv6 address: write [ADDRESS]"}
	case addr.Zone() != "":
		return "", &EndpointError{"the IPv6 address has a zone: remove the % and what follows it"}
	}
	return addr.String(), nil
}

// canonicalName returns the one form of a host name or an IPv4 address that consent and pacing use.
func canonicalName(host string) (string, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		if !addr.Is4() {
			return "", &EndpointError{"the IPv6 address needs brackets: write [ADDRESS]"}
		}
		return addr.String(), nil // ParseAddr refuses leading zeros, so this is the input
	}
	ascii := host
	if !isASCII(host) {
		// net/http uses the same profile before it dials, so no request goes to a host without consent.
		var err error
		if ascii, err = idna.Lookup.ToASCII(host); err != nil {
			return "", &EndpointError{"the host is not a valid international domain name: write it in punycode (xn--...)"}
		}
	}
	name := strings.TrimSuffix(strings.ToLower(ascii), ".")
	if endsInNumber(name) {
		return "", &EndpointError{"the host ends in a number but is not an IPv4 address: write four decimal numbers without leading zeros, such as 192.0.2.1, or a name"}
	}
	if !isName(name) {
		return "", &EndpointError{"the host is not a valid name: write dot-separated labels of letters, digits and hyphens, at most 253 characters"}
	}
	return name, nil
}

// endsInNumber is the URL standard's "ends in a number" check (url.spec.whatwg.org): some resolvers take such a host as an IPv4 address, in decimal,
// octal or hexadecimal and with one to four parts.
func endsInNumber(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	if digits, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

// isName reports whether a lower-case name is valid. Host names have no underscores, but private DNS has.
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
