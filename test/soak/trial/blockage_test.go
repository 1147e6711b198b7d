// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var start = time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)

func at(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }

func TestOpportunityIsTheFirstFreeStretch(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		blockages []blockage
		from      float64
		want      float64
	}{
		"nothing in the way":          {nil, 10, 14},
		"over before":                 {[]blockage{{at(0), at(10), "a"}}, 10, 14},
		"within one":                  {[]blockage{{at(0), at(12), "a"}}, 10, 16},
		"gap too short":               {[]blockage{{at(0), at(12), "a"}, {at(15.5), at(20), "b"}}, 10, 24},
		"gap just long enough":        {[]blockage{{at(0), at(12), "a"}, {at(16), at(20), "b"}}, 10, 16},
		"before the first":            {[]blockage{{at(14), at(20), "a"}}, 10, 14},
		"a long one hides a short":    {[]blockage{{at(0), at(30), "a"}, {at(12), at(13), "b"}}, 10, 34},
		"one after the other, packed": {[]blockage{{at(9), at(12), "a"}, {at(12), at(15), "b"}, {at(14), at(18), "c"}}, 10, 22},
	} {
		if got := opportunity(byStart(tc.blockages), at(tc.from)); !got.Equal(at(tc.want)) {
			t.Errorf("%s: got %s, want %s", name, got.Sub(start), at(tc.want).Sub(start))
		}
	}
}

func TestSharesSplitASpanByBlockage(t *testing.T) {
	t.Parallel()
	got := shares(byStart([]blockage{{at(0), at(12), "a"}, {at(11), at(13), "a"}, {at(15), at(30), "b"}, {at(40), at(41), "c"}}), at(10), at(20))
	want := map[string]time.Duration{"a": 3 * time.Second, "b": 5 * time.Second}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
