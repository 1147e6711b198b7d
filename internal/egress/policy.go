// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Policy is which addresses the operator may connect to: public ones, and those that an administrator opened. The zero value allows only public
// addresses.
type Policy struct {
	// Allowed are the prefixes of --allowed-cidrs. An IPv4 prefix also opens the IPv4-mapped form of its addresses, which is the same connection, but
	// not the NAT64 or 6to4 form.
	Allowed []netip.Prefix
	// Denied are the prefixes of --denied-cidrs. They take precedence over Allowed, and apply to public addresses, too. An IPv4 prefix also denies the
	// NAT64 and 6to4 form of its addresses.
	Denied []netip.Prefix
}

// RefusedError means that an address is not allowed. The user can choose a public endpoint, the administrator can set --allowed-cidrs. The text omits
// the address: it came from DNS, may change between lookups, and may be confidential.
type RefusedError struct {
	Addr netip.Addr
	Why  Why
}

func (e *RefusedError) Error() string {
	if e.Why == WhyDenied {
		return "refuse to connect: an administrator has closed the endpoint's address with --denied-cidrs; use another endpoint, or have the administrator open it"
	}
	return fmt.Sprintf("refuse to connect: the endpoint's address is not public but %s; use a public endpoint, or have an administrator allow the address with --allowed-cidrs", e.Why)
}

// Check returns a *RefusedError unless addr is allowed. Its zone is ignored.
func (p Policy) Check(addr netip.Addr) error {
	if !addr.IsValid() {
		return &RefusedError{Addr: addr, Why: WhyInvalid}
	}
	if p.denied(addr) {
		return &RefusedError{Addr: addr, Why: WhyDenied}
	}
	if p.opened(addr) {
		return nil
	}
	addr = addr.WithZone("").Unmap()
	if why := notPublic(addr); why != "" {
		return &RefusedError{Addr: addr, Why: why}
	}
	return nil
}

// opened reports whether an administrator opened addr, public or not.
func (p Policy) opened(addr netip.Addr) bool {
	return within(p.Allowed, addr) && !p.denied(addr)
}

// denied reports whether an administrator closed addr.
func (p Policy) denied(addr netip.Addr) bool {
	if embedded, ok := embeddedIPv4(addr.WithZone("").Unmap()); ok && within(p.Denied, embedded) {
		return true
	}
	return within(p.Denied, addr)
}

func within(prefixes []netip.Prefix, addr netip.Addr) bool {
	addr = addr.WithZone("").Unmap()
	return slices.ContainsFunc(prefixes, func(prefix netip.Prefix) bool { return prefix.Contains(addr) })
}

// ParsePrefixes reads a comma-separated list of CIDRs and single addresses, as in --allowed-cidrs and --denied-cidrs. Spaces around entries
// and empty entries are ignored. A CIDR with bits below its mask is refused, since it is probably a mistake.
func ParsePrefixes(list string) ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.TrimSpace(entry)
		if entry == "" {
			continue
		}
		prefix, err := parsePrefix(entry)
		if err != nil {
			return nil, fmt.Errorf("parse CIDR %.100q: %w", entry, err)
		}
		prefixes = append(prefixes, prefix)
	}
	return prefixes, nil
}

func parsePrefix(entry string) (netip.Prefix, error) {
	if !strings.Contains(entry, "/") {
		addr, err := netip.ParseAddr(entry)
		if err != nil || addr.Zone() != "" {
			return netip.Prefix{}, errors.New("write an address such as 10.1.2.3 or a network such as 10.0.0.0/8")
		}
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(entry)
	if err != nil {
		return netip.Prefix{}, errors.New("write an address such as 10.1.2.3 or a network such as 10.0.0.0/8")
	}
	if prefix.Addr().Is4In6() {
		return netip.Prefix{}, errors.New("write an IPv4 network in IPv4 notation, such as 10.0.0.0/8")
	}
	if prefix.Masked() != prefix {
		return netip.Prefix{}, fmt.Errorf("write the network as %s", prefix.Masked())
	}
	return prefix, nil
}
