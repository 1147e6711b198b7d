// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"testing"
)

// TestOlderComparesOnlyWhatCanBeCompared: what cannot be compared is not older, so that nothing is waited for that never comes.
func TestOlderComparesOnlyWhatCanBeCompared(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		version, than string
		want          bool
	}{
		{"8", "9", true}, {"9", "9", false}, {"10", "9", false}, {"9", "10", true}, {"99999999999999999999", "100000000000000000000", true},
		{"8", "", false}, {"", "9", false}, {"", "", false}, {"a", "b", false}, {"8", "b", false}, {"-1", "9", false}, {"08", "9", false}, {"0", "9", false},
	} {
		if got := Older(tc.version, tc.than); got != tc.want {
			t.Errorf("%q than %q: got %t", tc.version, tc.than, got)
		}
	}
}

// TestLagsBehindOurOwnWrite: the cache shows a Secret as it was before we wrote it, or looked into it.
func TestLagsBehindOurOwnWrite(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		found         bool
		cached, known string
		want          bool
	}{
		"as known":                         {true, "a/9", "a/9", false},
		"later":                            {true, "a/10", "a/9", false},
		"before our write":                 {true, "a/8", "a/9", true},
		"not there, or deleted":            {false, "/", "a/9", true},
		"made again since":                 {true, "b/12", "a/9", false},
		"of before it was made again":      {true, "a/8", "b/9", true},
		"versions that cannot be compared": {true, "a/x", "a/y", false},
	} {
		if got := Lags(tc.found, tc.cached, tc.known); got != tc.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}
