// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"strings"
	"testing"
	"time"
)

// TestRequeueLeavesOutTheTimeThatReconcilingTook: what a reconcile's own writes have taken is not added to a wait.
func TestRequeueLeavesOutTheTimeThatReconcilingTook(t *testing.T) {
	for name, tc := range map[string]struct {
		after time.Duration
		ended string
		want  time.Duration
	}{
		"for a change":           {0, "11:00:05", 0},
		"a quick pass":           {time.Minute, "11:00:00", time.Minute},
		"a slow one":             {time.Minute, "11:00:05", 55 * time.Second},
		"it is past":             {4 * time.Second, "11:00:05", time.Millisecond},
		"the clock was set back": {time.Minute, "10:50:00", time.Minute},
	} {
		p := newPlay(t)
		s := steady()
		s.Now = at("11:00:00")
		p.clock.SetTime(at(tc.ended))
		if got := p.r.untilThen(s, tc.after); got != tc.want {
			t.Errorf("%s: got %s, want %s", name, got, tc.want)
		}
	}
}

// TestRandomFailsWithoutASource: an ID or a salt is not made of nothing.
func TestRandomFailsWithoutASource(t *testing.T) {
	t.Parallel()
	if _, err := (&Sources{Rand: strings.NewReader("")}).random(8); err == nil {
		t.Error("an ID was made of nothing")
	}
}
