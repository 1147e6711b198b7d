// SPDX-License-Identifier: Apache-2.0

package egress

import "testing"

// Of two waiters of different lanes, a goes before b; and b does not go before a.
func TestWaitersOfDifferentLanesHaveAnOrder(t *testing.T) {
	t.Parallel()
	verifications := func(passedOver int) *lane { return &lane{host: &host{verifyPassedOver: passedOver}} }
	idle, busy := &namespace{}, &namespace{inFlight: 1}
	for name, tc := range map[string]struct{ a, b waiter }{
		"planned before unplanned":              {waiter{class: classPlanned, namespace: busy}, waiter{class: classUnplanned, namespace: idle}},
		"unplanned before failing":              {waiter{class: classUnplanned, namespace: busy}, waiter{class: classFailing, namespace: idle}},
		"failing ones by their namespace":       {waiter{class: classFailingUnserved, namespace: idle}, waiter{class: classFailing, namespace: busy}},
		"the namespace with fewer calls":        {waiter{class: classPlanned, namespace: idle, serial: 2}, waiter{class: classPlanned, namespace: busy, serial: 1}},
		"who came first":                        {waiter{class: classPlanned, namespace: idle, serial: 1}, waiter{class: classPlanned, namespace: idle, serial: 2}},
		"failing before a verification":         {waiter{class: classFailingUnserved, namespace: busy}, waiter{waiterKey: waiterKey{verify: true}, lane: verifications(8), namespace: idle}},
		"a verification passed over nine times": {waiter{waiterKey: waiterKey{verify: true}, lane: verifications(9), namespace: busy}, waiter{class: classPlanned, namespace: idle}},
	} {
		if !tc.a.goesBefore(&tc.b) || tc.b.goesBefore(&tc.a) {
			t.Errorf("%s: %t, and the other way round %t", name, tc.a.goesBefore(&tc.b), tc.b.goesBefore(&tc.a))
		}
	}
}
