// SPDX-License-Identifier: Apache-2.0

package egress

import "net/netip"

// Why is the kind of an address that was refused. It is safe to show, since it reveals nothing else about a network.
type Why string

// The kinds of refused addresses.
const (
	WhyInvalid       Why = "invalid"
	WhyUnspecified   Why = "unspecified"
	WhyLoopback      Why = "loopback"
	WhyLinkLocal     Why = "link-local"
	WhyPrivate       Why = "private"
	WhyShared        Why = "shared address space (carrier-grade NAT)"
	WhyMetadata      Why = "a cloud's metadata service"
	WhyMulticast     Why = "multicast"
	WhyBroadcast     Why = "broadcast"
	WhyDocumentation Why = "for documentation"
	WhyBenchmarking  Why = "for benchmarking"
	WhyTranslation   Why = "an IPv6 form of a local or reserved IPv4 address"
	WhyReserved      Why = "reserved"
	WhyDenied        Why = "closed by an administrator"
)

type specialRange struct {
	prefix netip.Prefix
	why    Why
}

// specialRanges are the IANA special-purpose registries for IPv4 and IPv6 (RFC 6890 and its updates, including ranges that are globally reachable,
// as none of them has a token endpoint) and the metadata addresses of clouds. The first match counts, so narrower prefixes come first. IPv6
// addresses outside 2000::/3 are refused anyway; rows for them only give a better reason.
var specialRanges = []specialRange{
	{netip.MustParsePrefix("169.254.169.254/32"), WhyMetadata}, // most clouds
	{netip.MustParsePrefix("169.254.170.2/32"), WhyMetadata},   // AWS, containers
	{netip.MustParsePrefix("169.254.170.23/32"), WhyMetadata},  // AWS, pod identity
	{netip.MustParsePrefix("100.100.100.200/32"), WhyMetadata}, // Alibaba Cloud
	{netip.MustParsePrefix("168.63.129.16/32"), WhyMetadata},   // Azure's wire server: a public address, yet local to each host
	{netip.MustParsePrefix("192.0.0.192/32"), WhyMetadata},     // Oracle Cloud
	{netip.MustParsePrefix("fd00:ec2::254/128"), WhyMetadata},  // AWS
	{netip.MustParsePrefix("fd00:ec2::23/128"), WhyMetadata},   // AWS, pod identity
	{netip.MustParsePrefix("fd20:ce::254/128"), WhyMetadata},   // Google Cloud

	{netip.MustParsePrefix("0.0.0.0/32"), WhyUnspecified},
	{netip.MustParsePrefix("0.0.0.0/8"), WhyReserved},
	{netip.MustParsePrefix("10.0.0.0/8"), WhyPrivate},
	{netip.MustParsePrefix("100.64.0.0/10"), WhyShared},
	{netip.MustParsePrefix("127.0.0.0/8"), WhyLoopback},
	{netip.MustParsePrefix("169.254.0.0/16"), WhyLinkLocal},
	{netip.MustParsePrefix("172.16.0.0/12"), WhyPrivate},
	{netip.MustParsePrefix("192.0.0.0/24"), WhyReserved}, // IETF protocol assignments
	{netip.MustParsePrefix("192.0.2.0/24"), WhyDocumentation},
	{netip.MustParsePrefix("192.31.196.0/24"), WhyReserved}, // AS112
	{netip.MustParsePrefix("192.52.193.0/24"), WhyReserved}, // AMT
	{netip.MustParsePrefix("192.88.99.0/24"), WhyReserved},  // 6to4 relays
	{netip.MustParsePrefix("192.168.0.0/16"), WhyPrivate},
	{netip.MustParsePrefix("192.175.48.0/24"), WhyReserved}, // AS112
	{netip.MustParsePrefix("198.18.0.0/15"), WhyBenchmarking},
	{netip.MustParsePrefix("198.51.100.0/24"), WhyDocumentation},
	{netip.MustParsePrefix("203.0.113.0/24"), WhyDocumentation},
	{netip.MustParsePrefix("224.0.0.0/4"), WhyMulticast},
	{netip.MustParsePrefix("255.255.255.255/32"), WhyBroadcast},
	{netip.MustParsePrefix("240.0.0.0/4"), WhyReserved},

	{netip.MustParsePrefix("::/128"), WhyUnspecified},
	{netip.MustParsePrefix("::1/128"), WhyLoopback},
	{netip.MustParsePrefix("2001:2::/48"), WhyBenchmarking},
	{netip.MustParsePrefix("2001::/23"), WhyReserved}, // IETF protocol assignments: Teredo, ORCHID, AMT, drones
	{netip.MustParsePrefix("2001:db8::/32"), WhyDocumentation},
	{netip.MustParsePrefix("2620:4f:8000::/48"), WhyReserved}, // AS112
	{netip.MustParsePrefix("3fff::/20"), WhyDocumentation},
	{netip.MustParsePrefix("fc00::/7"), WhyPrivate},        // unique local
	{netip.MustParsePrefix("fec0::/10"), WhyPrivate},       // site-local, RFC 3879
	{netip.MustParsePrefix("fe80::/10"), WhyLinkLocal},     //
	{netip.MustParsePrefix("ff00::/8"), WhyMulticast},      //
	{netip.MustParsePrefix("100::/64"), WhyReserved},       // discard-only, RFC 6666
	{netip.MustParsePrefix("64:ff9b:1::/48"), WhyReserved}, // local-use NAT64, RFC 8215
}

var (
	globalUnicast = netip.MustParsePrefix("2000::/3")
	nat64         = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052
	sixToFour     = netip.MustParsePrefix("2002::/16")    // RFC 3056
)

// notPublic returns why addr is not a public address, or "". IPv4-mapped addresses must be unmapped first.
func notPublic(addr netip.Addr) Why {
	for _, special := range specialRanges {
		if special.prefix.Contains(addr) {
			return special.why
		}
	}
	if addr.Is4() {
		return ""
	}
	if embedded, ok := embeddedIPv4(addr); ok {
		if notPublic(embedded) != "" {
			return WhyTranslation
		}
		return ""
	}
	if !globalUnicast.Contains(addr) {
		return WhyReserved
	}
	return ""
}

// embeddedIPv4 returns the IPv4 address to which a translator or relay would carry a packet for addr.
func embeddedIPv4(addr netip.Addr) (netip.Addr, bool) {
	b := addr.As16()
	switch {
	case nat64.Contains(addr):
		return netip.AddrFrom4([4]byte(b[12:16])), true
	case sixToFour.Contains(addr):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	}
	return netip.Addr{}, false
}
