// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTableShowsEveryState(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	got := table([]state{
		{name: "etl", provider: "adobe", ready: true, expires: now.Add(59 * time.Second), next: now.Add(28500 * time.Millisecond), refreshes: 2},
		{name: "site", provider: "auth0", expires: now.Add(-time.Second), refreshes: 0},
		{name: "old", provider: "basic", ready: true, refreshes: -1},
	}, now)
	want := `CREDENTIAL   PROVIDER   READY   EXPIRES IN   NEXT REFRESH   REFRESHES
etl          adobe      yes     59s          29s            2
site         auth0      no      now          -              0
old          basic      yes     -            -              -
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestStateIsDoneOnceRefreshed(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		state   state
		done    bool
		missing string
	}{
		"refreshed":           {state{name: "n", ready: true, good: true, refreshes: 1}, true, ""},
		"nothing to exchange": {state{name: "n", ready: true, good: true, refreshes: -1}, true, ""},
		"first token only":    {state{name: "n", ready: true, good: true}, false, "n: ready, but never refreshed"},
		"not ready":           {state{name: "n", refreshes: 1}, false, "n: not ready"},
		"wrong target":        {state{name: "n", ready: true, refreshes: 1}, false, "n: ready, but its target does not hold what the endpoint has issued, or it has expired"},
		"a reason":            {state{name: "n", failure: "Throttled: wait"}, false, "n: Throttled: wait"},
	} {
		if tc.state.done() != tc.done || (!tc.done && tc.state.missing() != tc.missing) {
			t.Errorf("%s: done %t, missing %q", name, tc.state.done(), tc.state.missing())
		}
	}
}
