// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Policy says to which addresses we may connect: public ones, and those that an administrator opened. The zero value
// opens none.
type Policy struct {
	// Allowed are the prefixes of --allowed-cidrs. Each opens exactly what it says: an IPv4 prefix opens its addresses, in
	// their IPv4-mapped form too, because that is the same connection, but not in NAT64 or 6to4 form.
	Allowed []netip.Prefix
	// Denied are the prefixes of --denied-cidrs. Denial wins over Allowed, and over what an address is. An IPv4 prefix denies its addresses
	// in their NAT64 and 6to4 form, too.
	Denied []netip.Prefix
}

// RefusedError says that an address is not allowed. The user can fix it with a public endpoint, the administrator with
// --allowed-cidrs. The text leaves the address out: it came from DNS, may change from one lookup to the next and may be
// nobody's business.
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

// Check returns a *RefusedError unless addr is open. A zone is ignored.
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

// ParsePrefixes reads a comma-separated list of CIDRs and single addresses, as in --allowed-cidrs and --denied-cidrs. Blanks around entries
// and empty entries are skipped. A CIDR with bits below its mask is refused, as it is a likely slip of the pen.
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
