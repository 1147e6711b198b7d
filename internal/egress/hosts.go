// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"fmt"
	"net/netip"
	"strings"
)

// Hosts is a consent to the endpoints to which a Secret may be sent. The zero value allows none.
type Hosts struct{ entries []hostEntry }

type hostEntry struct {
	host  string // canonical; for a wildcard, the part after "*."
	port  uint16 // 0: any
	below bool   // a wildcard: names at any depth below host, but not host itself
}

// ParseHosts reads a comma-separated list of hosts, as in the annotation cdpcredentials.io/allowed-hosts and the flag
// --allowed-token-hosts. An entry is a name, *.name (every depth below the name, not the name itself), an IPv4 address or
// an IPv6 address in brackets, each with an optional :port; without one every port is allowed. Spaces around entries and
// empty entries are ignored; an empty list allows nothing and is not an error. The error names the entry and how to write it,
// without any user info.
func ParseHosts(list string) (Hosts, error) {
	var hosts Hosts
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.TrimSpace(entry)
		if entry == "" {
			continue
		}
		parsed, err := parseHostEntry(entry)
		if err != nil {
			return Hosts{}, fmt.Errorf("allowed host %.100q: %w", entry[strings.LastIndexByte(entry, '@')+1:], err)
		}
		hosts.entries = append(hosts.entries, parsed)
	}
	return hosts, nil
}

func parseHostEntry(entry string) (hostEntry, error) {
	if strings.ContainsAny(entry, "/\\@?#%") || strings.ContainsFunc(entry, isBlankOrControl) || strings.HasSuffix(entry, ":") {
		return hostEntry{}, &EndpointError{"write HOST or HOST:PORT, without scheme, path or user info"}
	}
	rest, below := strings.CutPrefix(entry, "*.")
	if strings.Contains(rest, "*") || (below && rest == "") {
		return hostEntry{}, &EndpointError{"write *.NAME for all hosts below NAME; a * is not allowed elsewhere, or alone"}
	}
	e, err := endpointOfAuthority(rest)
	if err != nil {
		return hostEntry{}, err
	}
	parsed := hostEntry{host: e.Host, port: e.Port, below: below}
	if below && isAddress(e.Host) {
		return hostEntry{}, &EndpointError{"an IP address has no hosts below it: write the addresses one by one"}
	}
	if _, port, _, _ := splitAuthority(rest); port == "" {
		parsed.port = 0
	}
	return parsed, nil
}

// Allows reports whether the consent covers e, which must come from EndpointOf or EndpointOfDomain.
func (h Hosts) Allows(e Endpoint) bool {
	for _, entry := range h.entries {
		if entry.port != 0 && entry.port != e.Port {
			continue
		}
		isBelow := strings.HasSuffix(e.Host, "."+entry.host) && !isAddress(e.Host)
		if entry.below && isBelow || !entry.below && e.Host == entry.host {
			return true
		}
	}
	return false
}

// With returns a consent that allows what either of the two allows.
func (h Hosts) With(other Hosts) Hosts {
	return Hosts{entries: append(append([]hostEntry(nil), h.entries...), other.entries...)}
}

// Empty reports whether the consent allows nothing.
func (h Hosts) Empty() bool { return len(h.entries) == 0 }

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}
