// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"strings"
	"testing"
)

func TestHostsAllowsWhatTheyList(t *testing.T) {
	t.Parallel()
	tests := []struct {
		list string
		url  string
		want bool
	}{
		{"", "https://auth.example.com/", false},
		{" , ,", "https://auth.example.com/", false},
		{"auth.example.com", "https://auth.example.com/", true},
		{"auth.example.com", "https://auth.example.com:8443/", true},
		{"auth.example.com", "https://AUTH.example.COM./", true},
		{"AUTH.Example.com.", "https://auth.example.com/", true},
		{"auth.example.com", "https://auth.example.com.evil.example/", false},
		{"auth.example.com", "https://xauth.example.com/", false},
		{"auth.example.com", "https://x.auth.example.com/", false},
		{"auth.example.com", "https://example.com/", false},
		{"auth.example.com:443", "https://auth.example.com/", true},
		{"auth.example.com:443", "https://auth.example.com:8443/", false},
		{"auth.example.com:8443", "https://auth.example.com:8443/", true},
		{"auth.example.com:8443", "https://auth.example.com/", false},
		{"a.example , b.example:8443,*.c.example", "https://b.example:8443/", true},
		{"a.example,\n\tb.example\n", "https://b.example/", true},
		{"*.example.com", "https://auth.example.com/", true},
		{"*.example.com", "https://a.b.c.example.com/", true},
		{"*.example.com", "https://example.com/", false},
		{"*.example.com", "https://evilexample.com/", false},
		{"*.example.com", "https://example.com.evil.example/", false},
		{"*.example.com", "https://AUTH.EXAMPLE.COM./", true},
		{"*.Example.COM", "https://auth.example.com/", true},
		{"*.example.com:8443", "https://auth.example.com:8443/", true},
		{"*.example.com:8443", "https://auth.example.com/", false},
		{"*.com", "https://auth.example.com/", true},
		{"*.com", "https://com/", false},
		{"bücher.example", "https://xn--bcher-kva.example/", true},
		{"xn--bcher-kva.example", "https://bücher.example/", true},
		{"*.bücher.example", "https://a.BÜCHER.example/", true},
		{"auth.example.com", "https://auth。example．com/", true},
		{"example.com", "https://ехample.com/", false}, // Cyrillic е and х
		{"93.184.216.34", "https://93.184.216.34/", true},
		{"93.184.216.34:8443", "https://93.184.216.34/", false},
		{"93.184.216.34", "https://[::ffff:93.184.216.34]/", false},
		{"[2606:4700::1111]", "https://[2606:4700:0::1111]/", true},
		{"[2606:4700::1111]", "https://[2606:4700::1111]:8443/", true},
		{"[2606:4700::1111]:443", "https://[2606:4700::1111]:8443/", false},
		{"[2606:4700::1111]", "https://[2606:4700::1112]/", false},
		{"*.34.example", "https://93.184.216.34/", false},
	}
	for _, tc := range tests {
		hosts, err := ParseHosts(tc.list)
		if err != nil {
			t.Errorf("ParseHosts(%q): %v", tc.list, err)
			continue
		}
		e, err := EndpointOf(tc.url)
		if err != nil {
			t.Errorf("EndpointOf(%q): %v", tc.url, err)
			continue
		}
		if got := hosts.Allows(e); got != tc.want {
			t.Errorf("ParseHosts(%q).Allows(%v) = %v, want %v", tc.list, e, got, tc.want)
		}
	}
}

func TestParseHostsRefuses(t *testing.T) {
	t.Parallel()
	for _, entry := range []string{
		"*", "*.", "*:443", "*.*", "**.example.com", "*example.com", "a.*.example.com", "auth.*", "*.*.example.com", "ex*mple.com",
		"https://auth.example.com", "auth.example.com/token", "//auth.example.com", "CANARY@auth.example.com", "user:CANARY@auth.example.com:443",
		"auth.example.com?x", "auth.example.com#x", "auth example.com", "auth.example.com:", "auth.example.com:0", "auth.example.com:65536",
		"auth.example.com:https", "2606:4700::1111", "[2606:4700::1111", "[2606:4700::1111]x", "[fe80::1%eth0]", "[93.184.216.34]", "*.[2606:4700::1111]",
		"*.93.184.216.34", "*.127.1", "*.1", "127.1", "2130706433", "0x7f000001", "auth..example.com", ".example.com", "*..example.com", "%61.example",
	} {
		hosts, err := ParseHosts("good.example," + entry)
		if err == nil || !hosts.Empty() {
			t.Errorf("ParseHosts(%q) = %v, %v; want an error and no host", entry, hosts, err)
			continue
		}
		named := entry[strings.LastIndex(entry, "@")+1:]
		if !strings.Contains(err.Error(), named) || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("ParseHosts(%q): %v; want the entry named, without user info", entry, err)
		}
	}
}

func TestHostsWithIsTheUnionOfBoth(t *testing.T) {
	t.Parallel()
	a, b := mustHosts(t, "a.example"), mustHosts(t, "b.example")
	both := a.With(b)
	for _, tc := range []struct {
		hosts Hosts
		host  string
		want  bool
	}{
		{Hosts{}, "a.example", false},
		{Hosts{}.With(Hosts{}), "a.example", false},
		{both, "a.example", true},
		{both, "b.example", true},
		{a, "b.example", false}, // With changes neither
		{b, "a.example", false},
		{both, "A.EXAMPLE", false}, // not from EndpointOf
		{both, "", false},
	} {
		if got := tc.hosts.Allows(Endpoint{Host: tc.host, Port: 443}); got != tc.want {
			t.Errorf("%v.Allows(%q) = %v, want %v", tc.hosts, tc.host, got, tc.want)
		}
	}
	if !(Hosts{}).Empty() || both.Empty() {
		t.Error("Empty is wrong")
	}
}

// A wildcard of a name that looks like the tail of an address must not reach addresses, whoever made the endpoint.
func TestWildcardNeverMatchesAddress(t *testing.T) {
	t.Parallel()
	hosts := Hosts{entries: []hostEntry{{host: "2.3.4", below: true}, {host: "1", below: true}}}
	for _, host := range []string{"1.2.3.4", "127.0.0.1"} {
		if hosts.Allows(Endpoint{Host: host, Port: 443}) {
			t.Errorf("a wildcard allows %s", host)
		}
	}
}

func mustHosts(t *testing.T, list string) Hosts {
	t.Helper()
	hosts, err := ParseHosts(list)
	if err != nil {
		t.Fatal(err)
	}
	return hosts
}
