// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func half(lifetime time.Duration) time.Duration { return lifetime / 2 }

// minute returns a token that lives for a minute.
func minute(issuedAt float64, published bool, spoilt string) issued {
	return issued{at(issuedAt), at(issuedAt + 60), published, spoilt}
}

func TestAccountExplainsEveryToken(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		tokens          []issued
		changes         []change
		ends            []end
		down            []blockage
		first, due, way int
		excess          map[string]int
		unexplained     int
	}{
		"first and renewals":             {tokens: []issued{minute(0, true, ""), minute(24, true, ""), minute(53, true, "")}, first: 1, due: 2},
		"renewed without a reason":       {tokens: []issued{minute(0, true, ""), minute(20, true, "")}, first: 1, unexplained: 1},
		"deleted":                        {tokens: []issued{minute(0, true, ""), minute(11, true, "")}, changes: []change{{at(5), "deletion"}}, first: 1, excess: map[string]int{"deletion": 1}},
		"one change explains one":        {tokens: []issued{minute(0, true, ""), minute(11, true, ""), minute(22, true, "")}, changes: []change{{at(5), "deletion"}}, first: 1, excess: map[string]int{"deletion": 1}, unexplained: 1},
		"an old change explains none":    {tokens: []issued{minute(0, true, ""), minute(29, true, ""), minute(40, true, "")}, changes: []change{{at(5), "deletion"}}, first: 1, due: 1, unexplained: 1},
		"changed during the exchange":    {tokens: []issued{minute(0, true, ""), minute(29, true, ""), minute(40, true, "")}, changes: []change{{at(28), "rotation"}}, first: 1, due: 1, excess: map[string]int{"rotation": 1}},
		"spoilt":                         {tokens: []issued{minute(0, true, ""), minute(29, false, "dead token"), minute(31, true, "")}, first: 1, due: 1, excess: map[string]int{"fault: dead token": 1}},
		"killed":                         {tokens: []issued{minute(0, true, ""), minute(29, false, ""), minute(31, true, "")}, ends: []end{{at(29.1), "kill"}}, first: 1, due: 1, excess: map[string]int{"kill between exchange and write": 1}},
		"killed long after":              {tokens: []issued{minute(0, true, ""), minute(29, false, ""), minute(45, true, "")}, ends: []end{{at(40), "kill"}}, first: 1, due: 1, unexplained: 1},
		"killed after, API down":         {tokens: []issued{minute(0, true, ""), minute(29, false, ""), minute(45, true, "")}, ends: []end{{at(40), "kill"}}, down: []blockage{{at(28), at(44), ""}}, first: 1, due: 1, excess: map[string]int{"kill between exchange and write": 1}},
		"lost for no reason":             {tokens: []issued{minute(0, true, ""), minute(29, false, ""), minute(31, true, "")}, first: 1, due: 1, unexplained: 1},
		"under way at the end":           {tokens: []issued{minute(0, true, ""), minute(90, false, "")}, first: 1, way: 1},
		"lost first, then the first one": {tokens: []issued{minute(0, false, ""), minute(1, true, "")}, ends: []end{{at(0.5), "kill"}}, first: 1, excess: map[string]int{"kill between exchange and write": 1}},
	} {
		got := history{name: "n", tokens: tc.tokens, lead: half, changes: tc.changes, ends: tc.ends, apiDown: tc.down, over: at(100)}.account()
		if tc.excess == nil {
			tc.excess = map[string]int{}
		}
		want := [4]int{tc.first, tc.due, tc.way, tc.unexplained}
		if diff := cmp.Diff(want, [4]int{got.first, got.due, got.underWay, len(got.unexplained)}); diff != "" {
			t.Errorf("%s: first, due, under way, unexplained: -want +got:\n%s%v", name, diff, got.unexplained)
		}
		if diff := cmp.Diff(tc.excess, got.excess); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}
