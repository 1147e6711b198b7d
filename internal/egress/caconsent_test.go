// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"slices"
	"strings"
	"testing"
)

// TestCAConsentCoversListedCAsOnly says which CAs the annotation cdpcredentials.io/allowed-ca consents to: those of its entries, and only with all certificates of a bundle.
func TestCAConsentCoversListedCAsOnly(t *testing.T) {
	one, other := otherCA(t), otherCA(t)
	sumsOf := func(bundle []byte) []string {
		sums, err := CASums(bundle)
		if err != nil {
			t.Fatal(err)
		}
		return sums
	}
	ofOne, ofOther := sumsOf(one)[0], sumsOf(other)[0]
	both := slices.Concat(one, other)
	if got := sumsOf(both); !slices.Equal(got, []string{ofOne, ofOther}) {
		t.Errorf("the sums of both are %q, not %q and %q", got, ofOne, ofOther)
	}
	for _, tc := range []struct {
		name, list       string
		one, other, both bool
		unread           bool // what is no certificate
		bad              bool
	}{
		{name: "nothing", list: ""},
		{name: "blanks and empty entries", list: " , ,"},
		{name: "any", list: "*", one: true, other: true, both: true, unread: true},
		{name: "any, among others", list: ofOne + ", *", one: true, other: true, both: true, unread: true},
		{name: "one", list: ofOne, one: true},
		{name: "one, among empty entries", list: ", " + ofOne + " ,", one: true},
		{name: "upper case", list: strings.ToUpper(ofOne), one: true},
		{name: "both", list: ofOne + "," + ofOther, one: true, other: true, both: true},
		{name: "no sum", list: "one", bad: true},
		{name: "a sum of another kind", list: "sha1:" + strings.TrimPrefix(ofOne, "sha256:"), bad: true},
		{name: "a sum alone", list: strings.TrimPrefix(ofOne, "sha256:"), bad: true},
		{name: "too short", list: ofOne[:len(ofOne)-2], bad: true},
		{name: "no hexadecimal digits", list: ofOne[:len(ofOne)-2] + "xy", bad: true},
		{name: "a bad entry spoils the good ones", list: ofOne + ",one", bad: true},
		{name: "a bad entry spoils any", list: "*,one", bad: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cas, err := ParseCAs(tc.list)
			if (err != nil) != tc.bad {
				t.Fatalf("error %v", err)
			}
			if err != nil && strings.Contains(err.Error(), ofOne) {
				t.Errorf("the error repeats the list: %v", err)
			}
			for _, allows := range []struct {
				what   string
				bundle []byte
				want   bool
			}{{"one", one, tc.one}, {"the other", other, tc.other}, {"both", both, tc.both}, {"no certificate", []byte("x"), tc.unread}, {"half a certificate", one[:len(one)/2], tc.unread}} {
				if got := cas.Allow(allows.bundle); got != allows.want {
					t.Errorf("it allows %s: %t, not %t", allows.what, got, allows.want)
				}
			}
		})
	}
	if sums, err := CASums([]byte("x")); err == nil {
		t.Errorf("what is no certificate has the sums %q", sums)
	}
}
