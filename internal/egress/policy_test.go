// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

func TestPolicyCheckOfEachAddress(t *testing.T) {
	t.Parallel()
	tests := map[string]Why{
		// public
		"1.1.1.1": "", "8.8.8.8": "", "93.184.216.34": "", "100.63.255.255": "", "100.128.0.0": "", "172.15.255.255": "", "172.32.0.0": "",
		"168.63.129.15": "", "192.0.1.1": "", "198.17.255.255": "", "198.20.0.0": "", "223.255.255.255": "", "11.0.0.0": "", "126.255.255.255": "",
		"2606:4700:4700::1111": "", "2a00:1450:4001::200e": "", "2001:4860:4860::8888": "", "2001:200::1": "", "3ffe::1": "",
		"::ffff:8.8.8.8": "", "64:ff9b::8.8.8.8": "", "2002:808:808::1": "",
		// IPv4
		"0.0.0.0": "unspecified", "0.1.2.3": "reserved", "10.0.0.1": "private", "10.255.255.255": "private",
		"100.64.0.1": "shared address space (carrier-grade NAT)", "100.127.255.255": "shared address space (carrier-grade NAT)",
		"127.0.0.1": "loopback", "127.255.255.254": "loopback", "169.254.0.1": "link-local", "172.16.0.1": "private", "172.31.255.255": "private",
		"192.0.0.1": "reserved", "192.0.0.9": "reserved", "192.0.2.1": "for documentation", "192.31.196.1": "reserved", "192.52.193.1": "reserved",
		"192.88.99.1": "reserved", "192.168.1.1": "private", "192.175.48.1": "reserved", "198.18.0.1": "for benchmarking",
		"198.19.255.255": "for benchmarking", "198.51.100.1": "for documentation", "203.0.113.1": "for documentation", "224.0.0.1": "multicast",
		"239.255.255.255": "multicast", "240.0.0.1": "reserved", "255.255.255.255": "broadcast",
		// metadata
		"169.254.169.254": "a cloud's metadata service", "169.254.170.2": "a cloud's metadata service", "169.254.170.23": "a cloud's metadata service",
		"100.100.100.200": "a cloud's metadata service", "168.63.129.16": "a cloud's metadata service", "192.0.0.192": "a cloud's metadata service",
		"fd00:ec2::254": "a cloud's metadata service", "fd20:ce::254": "a cloud's metadata service",
		// IPv6
		"::": "unspecified", "::1": "loopback", "::2": "reserved", "fe80::1": "link-local", "fe80::1%eth0": "link-local", "febf::1": "link-local",
		"fec0::1": "private", "fc00::1": "private", "fd12:3456::1": "private", "ff02::1": "multicast", "100::1": "reserved", "100:0:0:1::1": "reserved",
		"2001::1": "reserved", "2001:0:4136:e378:8000:63bf:3fff:fdd2": "reserved", "2001:2::1": "for benchmarking", "2001:3::1": "reserved",
		"2001:4:112::1": "reserved", "2001:10::1": "reserved", "2001:20::1": "reserved", "2001:30::1": "reserved", "2001:1ff:ffff::1": "reserved",
		"2001:db8::1": "for documentation", "3fff::1": "for documentation", "2620:4f:8000::1": "reserved", "5f00::1": "reserved", "4000::1": "reserved",
		"200::1": "reserved", "1fff::1": "reserved",
		// IPv6 forms of IPv4
		"::ffff:127.0.0.1": "loopback", "::ffff:10.0.0.1": "private", "::ffff:169.254.169.254": "a cloud's metadata service", "::ffff:0.0.0.0": "unspecified",
		"::127.0.0.1": "reserved", "::a00:1": "reserved", "::ffff:0:7f00:1": "reserved", "::ffff:0:808:808": "reserved",
		"64:ff9b::127.0.0.1": "an IPv6 form of a local or reserved IPv4 address", "64:ff9b::a9fe:a9fe": "an IPv6 form of a local or reserved IPv4 address",
		"64:ff9b::168.63.129.16": "an IPv6 form of a local or reserved IPv4 address", "64:ff9b:1::8.8.8.8": "reserved", "64:ff9b:2::8.8.8.8": "reserved",
		"64:ff9b::1:808:808": "reserved", "2002:7f00:1::": "an IPv6 form of a local or reserved IPv4 address",
		"2002:c0a8:101::1": "an IPv6 form of a local or reserved IPv4 address", "2002:a9fe:a9fe::1": "an IPv6 form of a local or reserved IPv4 address",
	}
	for addr, want := range tests {
		err := Policy{}.Check(netip.MustParseAddr(addr))
		refused, _ := errors.AsType[*RefusedError](err)
		switch {
		case want == "" && err != nil:
			t.Errorf("Check(%s) = %v, want no error", addr, err)
		case want != "" && refused == nil:
			t.Errorf("Check(%s) = %v, want a *RefusedError", addr, err)
		case want != "" && refused.Why != want:
			t.Errorf("Check(%s) says %q, want %q", addr, refused.Why, want)
		}
	}
	err := Policy{}.Check(netip.Addr{})
	if refused, _ := errors.AsType[*RefusedError](err); refused == nil || refused.Why != WhyInvalid {
		t.Errorf("the zero address: got %v", err)
	}
}

func TestPolicyAllowedOpensExactlyWhatItSays(t *testing.T) {
	t.Parallel()
	tests := []struct {
		allowed, addr string
		open          bool
	}{
		{"10.1.0.0/16", "10.1.2.3", true},
		{"10.1.0.0/16", "10.2.0.1", false},
		{"10.1.0.0/16", "::ffff:10.1.2.3", true},
		{"10.1.0.0/16", "64:ff9b::10.1.2.3", false},
		{"10.1.0.0/16", "2002:a01:203::1", false},
		{"10.1.0.0/16", "::10.1.2.3", false},
		{"127.0.0.1", "127.0.0.1", true},
		{"127.0.0.1", "127.0.0.2", false},
		{"127.0.0.1", "::1", false},
		{"::1", "::1", true},
		{"::1", "127.0.0.1", false},
		{"::ffff:10.1.2.3", "10.1.2.3", true},
		{"fd00::/8", "fd12::1", true},
		{"fd00::/8", "fe80::1", false},
		{"fe80::/10", "fe80::1%eth0", true},
		{"::/0", "::ffff:10.1.2.3", false},
		{"::/0", "10.1.2.3", false},
		{"::/0", "fd12::1", true},
		{"0.0.0.0/0", "169.254.169.254", true},
		{"0.0.0.0/0", "fd12::1", false},
		{"64:ff9b::10.0.0.0/104", "64:ff9b::10.1.2.3", true},
		{"64:ff9b::10.0.0.0/104", "10.1.2.3", false},
		{"10.0.0.0/8, 192.168.0.0/16", "192.168.3.4", true},
		{"", "10.1.2.3", false},
		{"10.0.0.0/8", "8.8.8.8", true}, // what is public stays open
	}
	for _, tc := range tests {
		allowed, err := ParsePrefixes(tc.allowed)
		if err != nil {
			t.Errorf("ParsePrefixes(%q): %v", tc.allowed, err)
			continue
		}
		if err := (Policy{Allowed: allowed}).Check(netip.MustParseAddr(tc.addr)); (err == nil) != tc.open {
			t.Errorf("with %q, Check(%s) = %v; want open: %v", tc.allowed, tc.addr, err, tc.open)
		}
	}
}

func TestParsePrefixesRefuses(t *testing.T) {
	t.Parallel()
	for _, list := range []string{
		"10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "example.com", "10.0.0.1/8", "fd00::1/8", "fe80::1%eth0", "fe80::%eth0/10", "::ffff:10.0.0.0/104",
		"10.0.0.0/8;192.168.0.0/16", "0x0a000000/8", "*", "10.0.0.0/8 192.168.0.0/16",
	} {
		if prefixes, err := ParsePrefixes("10.0.0.0/8," + list); err == nil || prefixes != nil {
			t.Errorf("ParsePrefixes(%q) = %v, %v; want an error", list, prefixes, err)
		}
	}
}

func TestRefusedErrorKeepsTheAddressToItself(t *testing.T) {
	t.Parallel()
	err := (Policy{}).Check(netip.MustParseAddr("10.1.2.3"))
	if err == nil {
		t.Fatal("10.1.2.3 is open")
	}
	if strings.Contains(err.Error(), "10.1.2.3") || !strings.Contains(err.Error(), "private") || !strings.Contains(err.Error(), "--allowed-cidrs") {
		t.Errorf("error %q; want the kind and the way out, not the address", err)
	}
}

func TestPolicyDeniedWins(t *testing.T) {
	t.Parallel()
	policy := Policy{
		Allowed: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")},
		Denied: []netip.Prefix{
			netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("93.184.216.0/24"), netip.MustParsePrefix("fd00:1::/32"), netip.MustParsePrefix("2a00:1450::/32"),
		},
	}
	for addr, want := range map[string]Why{
		"10.0.0.1": "", "10.2.0.1": "", "10.1.0.1": WhyDenied, "::ffff:10.1.0.1": WhyDenied, "fd00:2::1": "", "fd00:1::1": WhyDenied, "fd00:1::1%eth0": WhyDenied,
		"93.184.217.1": "", "93.184.216.34": WhyDenied, "64:ff9b::93.184.216.34": WhyDenied, "2002:5db8:d822::1": WhyDenied, "2a00:1450:4001::200e": WhyDenied,
		"127.0.0.1": WhyLoopback,
	} {
		err := policy.Check(netip.MustParseAddr(addr))
		refused, _ := errors.AsType[*RefusedError](err)
		if want == "" && err != nil || want != "" && (refused == nil || refused.Why != want) {
			t.Errorf("%s: %v, want %q", addr, err, want)
		}
		if want == WhyDenied && (strings.Contains(err.Error(), "--allowed-cidrs") || !strings.Contains(err.Error(), "--denied-cidrs")) {
			t.Errorf("%s: names the wrong flag: %v", addr, err)
		}
	}
	// One name, two addresses: the one that is open is used, and never the other.
	open, err := policyDialer{policy: policy}.open(addresses("10.1.0.1", "10.2.0.1"))
	if err != nil || len(open) != 1 || open[0] != netip.MustParseAddr("10.2.0.1") {
		t.Errorf("%v, %v", open, err)
	}
	if _, err := (policyDialer{policy: policy}).open(addresses("93.184.216.34", "8.8.8.8")); err == nil {
		t.Error("a name with a closed and a public address is connected to")
	}
}
