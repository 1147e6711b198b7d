// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"errors"
	"strings"
	"testing"
)

func TestEndpointOfAURL(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		url  string
		want Endpoint
	}{
		"default port":              {"https://auth.example.com/oauth/token", Endpoint{"auth.example.com", 443}},
		"explicit port":             {"https://auth.example.com:8443/", Endpoint{"auth.example.com", 8443}},
		"explicit default port":     {"https://auth.example.com:443", Endpoint{"auth.example.com", 443}},
		"empty port":                {"https://auth.example.com:/", Endpoint{"auth.example.com", 443}},
		"leading zeros in port":     {"https://auth.example.com:0443/", Endpoint{"auth.example.com", 443}},
		"mixed case":                {"HTTPS://Auth.EXAMPLE.com/X", Endpoint{"auth.example.com", 443}},
		"trailing dot":              {"https://auth.example.com./", Endpoint{"auth.example.com", 443}},
		"query":                     {"https://auth.example.com?a=b", Endpoint{"auth.example.com", 443}},
		"international name":        {"https://Bücher.example/", Endpoint{"xn--bcher-kva.example", 443}},
		"the same in punycode":      {"https://XN--bcher-kva.example/", Endpoint{"xn--bcher-kva.example", 443}},
		"percent-encoded UTF-8":     {"https://b%C3%BCcher.example/", Endpoint{"xn--bcher-kva.example", 443}},
		"unicode dot":               {"https://auth。example．com/", Endpoint{"auth.example.com", 443}},
		"fullwidth letters":         {"https://ａuth.example.com/", Endpoint{"auth.example.com", 443}},
		"IPv4":                      {"https://93.184.216.34/", Endpoint{"93.184.216.34", 443}},
		"IPv6":                      {"https://[2606:4700::1111]:8443/", Endpoint{"2606:4700::1111", 8443}},
		"IPv6, long and upper case": {"https://[2606:4700:0:0:0:0:0:ABCD]/", Endpoint{"2606:4700::abcd", 443}},
		"IPv4-mapped IPv6":          {"https://[::ffff:7f00:1]/", Endpoint{"::ffff:127.0.0.1", 443}},
		"one label":                 {"https://localhost/", Endpoint{"localhost", 443}},
		"underscore":                {"https://my_host.example/", Endpoint{"my_host.example", 443}},
		"number in a middle label":  {"https://1.2.3.4.example/", Endpoint{"1.2.3.4.example", 443}},
		"hex-like but no number":    {"https://0xfg/", Endpoint{"0xfg", 443}},
		"2048 characters":           {"https://auth.example.com/" + strings.Repeat("a", 2048-25), Endpoint{"auth.example.com", 443}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := EndpointOf(tc.url)
			if err != nil || got != tc.want {
				t.Errorf("EndpointOf(%q) = %v, %v; want %v", tc.url, got, err, tc.want)
			}
		})
	}
}

func TestEndpointOfRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		url  string
		want string // in the error's text
	}{
		"empty":                      {"", "not https"},
		"http":                       {"http://auth.example.com/", "not https"},
		"no scheme":                  {"//auth.example.com/", "not https"},
		"scheme only":                {"https:", "no host"},
		"opaque":                     {"https:auth.example.com", "no host"},
		"no host":                    {"https:///token", "no host"},
		"port only":                  {"https://:443/", "no host"},
		"user info":                  {"https://user:CANARY@auth.example.com/", "user info"},
		"user name only":             {"https://CANARY@auth.example.com/", "user info"},
		"empty user info":            {"https://@auth.example.com/", "user info"},
		"user info, unparsable":      {"https://CANARY:x y@auth.example.com/", "blank"},
		"user info, bad percent":     {"https://CANARY%zz@auth.example.com/", "cannot be parsed"},
		"fragment":                   {"https://auth.example.com/#x", "fragment"},
		"empty fragment":             {"https://auth.example.com/#", "fragment"},
		"fragment hides a host":      {"https://evil.example#@auth.example.com/", "fragment"},
		"backslash":                  {`https://evil.example\@auth.example.com/`, ""},
		"backslashes for slashes":    {`https:\\auth.example.com`, ""},
		"leading blank":              {" https://auth.example.com/", "blank"},
		"newline":                    {"https://auth.example.com/\n", "blank"},
		"NUL":                        {"https://auth.example.com\x00.evil.example/", "blank"},
		"port 0":                     {"https://auth.example.com:0/", "port"},
		"port too large":             {"https://auth.example.com:65536/", "port"},
		"port of letters":            {"https://auth.example.com:https/", "cannot be parsed"},
		"two ports":                  {"https://auth.example.com:443:444/", ""},
		"bare IPv6":                  {"https://2606:4700::1111/", ""},
		"zone":                       {"https://[fe80::1%25eth0]/", "zone"},
		"name in brackets":           {"https://[auth.example.com]/", ""},
		"IPv4 in brackets":           {"https://[127.0.0.1]/", ""},
		"unclosed bracket":           {"https://[::1/", ""},
		"decimal IPv4":               {"https://2130706433/", "ends in a number"},
		"hex IPv4":                   {"https://0x7f000001/", "ends in a number"},
		"hex IPv4, upper case":       {"https://0X7F000001/", "ends in a number"},
		"hex without digits":         {"https://0x/", "ends in a number"},
		"octal IPv4":                 {"https://0177.0.0.1/", "ends in a number"},
		"short IPv4":                 {"https://127.1/", "ends in a number"},
		"mixed IPv4":                 {"https://0x7f.1/", "ends in a number"},
		"hex in the last part":       {"https://127.0.0.0x1/", "ends in a number"},
		"IPv4 with a trailing dot":   {"https://1.2.3.4./", "ends in a number"},
		"five parts":                 {"https://1.2.3.4.5/", "ends in a number"},
		"part too large":             {"https://256.256.256.256/", "ends in a number"},
		"numeric top-level label":    {"https://auth.example.123/", "ends in a number"},
		"fullwidth digits":           {"https://１２７.０.０.１/", "ends in a number"},
		"circled digits":             {"https://①②⑦.⓪.⓪.①/", "ends in a number"},
		"ideographic full stops":     {"https://127。0。0。1/", "ends in a number"},
		"percent-encoded digit":      {"https://%31%32%37.0.0.1/", "cannot be parsed"},
		"empty label":                {"https://auth..example.com/", "not a valid name"},
		"two trailing dots":          {"https://auth.example.com../", "not a valid name"},
		"leading dot":                {"https://.example.com/", "not a valid name"},
		"only a dot":                 {"https://./", "not a valid name"},
		"hyphen at the end":          {"https://auth-.example.com/", "not a valid name"},
		"label too long":             {"https://" + strings.Repeat("a", 64) + ".example/", "not a valid name"},
		"name too long":              {"https://" + strings.Repeat("a.", 130) + "example/", "not a valid name"},
		"wildcard":                   {"https://*.example.com/", "not a valid name"},
		"URL too long":               {"https://auth.example.com/" + strings.Repeat("a", 2048), "longer than 2048"},
		"invalid international name": {"https://\u200d.example/", "international"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := EndpointOf(tc.url)
			if _, ok := errors.AsType[*EndpointError](err); !ok {
				t.Fatalf("EndpointOf(%q) = %v, %v; want an *EndpointError", tc.url, got, err)
			}
			if got != (Endpoint{}) {
				t.Errorf("EndpointOf(%q) = %v beside an error", tc.url, got)
			}
			if !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "CANARY") {
				t.Errorf("error %q; want %q in it and no user info", err, tc.want)
			}
		})
	}
}

func TestEndpointOfDomain(t *testing.T) {
	t.Parallel()
	good := map[string]Endpoint{
		"auth.example.com":       {"auth.example.com", 443},
		"Auth.Example.com:8443":  {"auth.example.com", 8443},
		"[2606:4700::1111]:8443": {"2606:4700::1111", 8443},
		"93.184.216.34":          {"93.184.216.34", 443},
	}
	for domain, want := range good {
		if got, err := EndpointOfDomain(domain); err != nil || got != want {
			t.Errorf("EndpointOfDomain(%q) = %v, %v; want %v", domain, got, err, want)
		}
	}
	for _, domain := range []string{
		"", ":443", "auth.example.com:", "https://auth.example.com", "auth.example.com/", "auth.example.com/x", "CANARY:x@auth.example.com",
		"auth.example.com?x", "auth.example.com#x", `auth.example.com\x`, "auth.example.com ", "auth example", "2130706433", "127.1",
		"2606:4700::1111", "[fe80::1%25eth0]", "[fe80::1%eth0]", "auth.example.com:0", "a:b:c", "*.example.com",
	} {
		got, err := EndpointOfDomain(domain)
		if _, ok := errors.AsType[*EndpointError](err); !ok || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("EndpointOfDomain(%q) = %v, %v; want an *EndpointError without user info", domain, got, err)
		}
	}
}

func TestEndpointString(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]Endpoint{
		"auth.example.com:443":   {"auth.example.com", 443},
		"[2606:4700::1111]:8443": {"2606:4700::1111", 8443},
	} {
		if got := e.String(); got != want {
			t.Errorf("String() = %q, want %q", got, want)
		}
	}
}

func FuzzEndpointOf(f *testing.F) {
	for _, seed := range []string{"https://auth.example.com:8443/x", "https://[::1]/", "https://127.1/", "https://bücher.example./"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, rawURL string) {
		e, err := EndpointOf(rawURL)
		if err != nil {
			return
		}
		again, err := EndpointOf("https://" + e.String() + "/")
		if err != nil || again != e {
			t.Errorf("EndpointOf(%q) = %v, which is not canonical: read again it is %v, %v", rawURL, e, again, err)
		}
	})
}
