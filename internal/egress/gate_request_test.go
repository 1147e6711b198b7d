// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"math"
	"testing"
)

func TestLimitsDefaultsAndNamespaceCap(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ given, want Limits }{
		"none given":                                 {Limits{}, Limits{QPS: 20, HostInFlight: 8, NamespaceInFlight: 16, Workers: 32}},
		"a rate that is no number":                   {Limits{QPS: math.NaN()}, Limits{QPS: 20, HostInFlight: 8, NamespaceInFlight: 16, Workers: 32}},
		"more workers leave the default of 16":       {Limits{Workers: 100}, Limits{QPS: 20, HostInFlight: 8, NamespaceInFlight: 16, Workers: 100}},
		"a namespace has half of few workers":        {Limits{Workers: 10}, Limits{QPS: 20, HostInFlight: 8, NamespaceInFlight: 5, Workers: 10}},
		"a namespace has one call with one worker":   {Limits{Workers: 1}, Limits{QPS: 20, HostInFlight: 8, NamespaceInFlight: 1, Workers: 1}},
		"what is given stays":                        {Limits{QPS: 5, HostInFlight: 2, NamespaceInFlight: 3, Workers: 8}, Limits{QPS: 5, HostInFlight: 2, NamespaceInFlight: 3, Workers: 8}},
		"more than half of the workers is cut to it": {Limits{NamespaceInFlight: 30, Workers: 40}, Limits{QPS: 20, HostInFlight: 8, NamespaceInFlight: 20, Workers: 40}},
	} {
		if got := tc.given.withDefaults(); got != tc.want {
			t.Errorf("%s: got %+v, want %+v", name, got, tc.want)
		}
	}
}
