// SPDX-License-Identifier: Apache-2.0

package install

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
)

// TestChartRefusesWhatTheManagerRefuses: the manager accepts every value that the chart renders. The chart may refuse more, which stricter lists.
func TestChartRefusesWhatTheManagerRefuses(t *testing.T) {
	t.Parallel()
	hosts := func(entry string) error { _, err := egress.ParseHosts(entry); return err }
	prefixes := func(entry string) error { _, err := egress.ParsePrefixes(entry); return err }
	selector := func(text string) error { _, err := labels.Parse(text); return err }
	for value, kind := range map[string]struct {
		manager func(string) error
		taken   []string
		refused []string
		// stricter are values that the manager would accept.
		stricter []string
	}{
		"tokenHostsOnly": {
			manager: hosts,
			taken: []string{
				"auth.example.com", "*.api.example.com", "a.example.com:8443", "10.0.0.1", "10.0.0.1:443", "[fd00::1]", "[fd00::1]:443", "a_b.example.com", "A.EXAMPLE.COM",
				"a.example.com.", "localhost", "1a.example.com", "xn--bcher-kva.example",
			},
			refused: []string{
				"*", "*.", "*.10.0.0.1", "*.[fd00::1]", "[fd00::1", "fd00::1", "1234", "a.1", "0x7f000001", "127.1", "a.example.com:0", "a.example.com:70000", "a.example.com:",
				"a..b", "-a.example.com", "a-.example.com", "user@a.example.com", "a*.example.com", "[1.2.3.4]", "a.0x", "https://a.example.com", "a.example.com/b", "[fd00::1%eth0]",
				strings.Repeat("a", 64) + ".example.com", strings.Repeat("a.", 127) + "com",
			},
			stricter: []string{"bücher.example", "[::ffff:1.2.3.4]", " a.example.com", "a.example.com,b.example.com", ""},
		},
		"allowedCIDRs": {
			manager: prefixes,
			taken: []string{
				"10.1.2.3", "10.0.0.0/8", "0.0.0.0/0", "10.1.2.128/25", "10.1.2.3/32", "fd00::/8", "::/0", "::1/128", "::1", "2001:db8::/32", "2001:db8:8000::/33", "::ffff:a00:1",
				"1:2:3:4:5:6:7::/112", "FE80::/10", "::", "1:2:3:4:5:6:7:8/128",
			},
			refused: []string{
				"10.1.2.3/8", "10.0.0.0/33", "10.1.2.129/25", "256.0.0.0/8", "01.2.3.4/32", "10.0.0/8", "2001:db8:8001::/33", "2001:db8::1/64", "1:::2", "::ffff:a00:0/104", "fe80::/129",
				"1:2:3:4:5:6:7:8::", "1:2:3:4:5:6:7:8:9", "1::2::3", "fe80::1%eth0", "1::/3", ":", "1:", ":1", "/8", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/8/8", "12345::",
			},
			stricter: []string{"::1.2.3.4", "10.0.0.0/8,11.0.0.0/8", ""},
		},
		"watchSelector": {
			manager: selector,
			taken: []string{
				"shard=a", "team in (etl,web)", "!a", "a", "a==b", "a!=b", "a notin (b, c)", "a in ()", "a=", "a=b,c=d", "x/y=z", "a > 1", "", " a = b , !c ", "x.example.com/y in (z)",
			},
			refused: []string{"a=b=c", "a in", "=a", ",a", "X/y=z", "a=b c", "a,", "a in (b", "a=-b", "a/b/c=d", strings.Repeat("a", 64)},
		},
	} {
		t.Run(value, func(t *testing.T) {
			t.Parallel()
			render := func(entries ...string) error {
				var content any = entries
				if value == "watchSelector" {
					content = entries[0]
				}
				text, err := json.Marshal(content)
				if err != nil {
					t.Fatal(err)
				}
				_, err = run(t, helm, append(slices.Clone(rendering), "--show-only=templates/deployment.yaml", fmt.Sprintf("--set-json=%s=%s", value, text))...)
				return err
			}
			for _, entry := range slices.Concat(kind.taken, kind.stricter) {
				if err := kind.manager(entry); err != nil {
					t.Errorf("the manager refuses %q: %v", entry, err)
				}
			}
			for _, entry := range kind.refused {
				if kind.manager(entry) == nil {
					t.Errorf("the manager accepts %q", entry)
				}
			}
			if value == "watchSelector" {
				for _, entry := range kind.taken {
					if err := render(entry); err != nil {
						t.Errorf("the chart refuses %q: %v", entry, err)
					}
				}
			} else if err := render(kind.taken...); err != nil {
				t.Errorf("the chart refuses one of %q: %v", kind.taken, err)
			}
			for _, entry := range slices.Concat(kind.refused, kind.stricter) {
				if err := render(entry); err == nil || !strings.Contains(err.Error(), value) {
					t.Errorf("the chart refuses %q with %v", entry, err)
				}
			}
		})
	}
}

// TestChartKnowsTheManagersFlags: extraArgs accepts the manager's flags and no others.
func TestChartKnowsTheManagersFlags(t *testing.T) {
	t.Parallel()
	_, flags := managerFlags(t)
	arguments := make([]string, len(flags))
	for i, name := range flags {
		arguments[i] = "--" + name + "=x"
	}
	listed := regexp.MustCompile(`(?s)define "operator.flags" -}}\n(.*?)\n`).FindStringSubmatch(read(t, chart+"/templates/_checks.tpl"))
	if diff := cmp.Diff(flags, strings.Fields(listed[1])); diff != "" {
		t.Errorf("the manager's flags (-) and those of _checks.tpl (+): %s", diff)
	}
	template(t, "--set=extraArgs={"+strings.Join(arguments, ",")+"}")
}
