// SPDX-License-Identifier: Apache-2.0

package main

import "testing"

func TestLeaseNameDiffersByShard(t *testing.T) {
	t.Parallel()
	name := func(args ...string) string {
		t.Helper()
		opts, err := parseFlags(args)
		if err != nil {
			t.Fatal(err)
		}
		return leaseName(opts.selector, opts.namespaces)
	}
	if got := name(); got != "cdp-credential-operator" {
		t.Errorf("without flags: %s", got)
	}
	seen := map[string]string{}
	for _, flag := range []string{"", "--watch-selector=shard=a", "--watch-selector=shard=b", "--watch-selector=!shard", "--watch-namespaces=a", "--watch-namespaces=b"} {
		args := []string{flag}
		if flag == "" {
			args = nil
		}
		got := name(args...)
		if other, taken := seen[got]; taken {
			t.Errorf("%q and %q have the same Lease %s", other, flag, got)
		}
		seen[got] = flag
	}
	for _, same := range [][2]string{
		{"--watch-selector=shard in (a,b),team=web", "--watch-selector=team=web, shard in (b,a)"}, {"--watch-namespaces=a,b", "--watch-namespaces=b,a"},
	} {
		if a, b := name(same[0]), name(same[1]); a != b {
			t.Errorf("%q has %s, %q has %s", same[0], a, same[1], b)
		}
	}
}
