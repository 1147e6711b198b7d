// SPDX-License-Identifier: Apache-2.0

package flow_test

import (
	"testing"

	"github.com/cdpcredentials/cdp-credential-operator/internal/flow"
)

func TestCheckURLTakesHTTPSAddressesOnly(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		address string
		good    bool
	}{
		"https":           {"https://auth.example.com:8443/token?tenant=a", true},
		"http":            {"http://auth.example.com/token", false},
		"no scheme":       {"//auth.example.com/token", false},
		"no host":         {"https:///token", false},
		"port only":       {"https://:443/token", false},
		"user info":       {"https://user@auth.example.com/token", false},
		"fragment":        {"https://auth.example.com/token#x", false},
		"cannot be read":  {"https://auth.example.com/%zz", false},
		"nothing":         {"", false},
		"empty user info": {"https://@auth.example.com/token", false},
	} {
		if invalid := flow.CheckURL(test.address); (invalid == nil) != test.good {
			t.Errorf("%s: %v", name, invalid)
		}
	}
}
