// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

func TestTableShowsEveryState(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	got := table([]state{
		{name: "etl", provider: "adobe", ready: true, expires: now.Add(59 * time.Second), next: now.Add(28500 * time.Millisecond), refreshes: 2},
		{name: "site", provider: "auth0", expires: now.Add(-time.Second), refreshes: 0},
		{name: "old", provider: "basic", ready: true, refreshes: -1},
	}, now, 0, false)
	want := `CREDENTIAL  PROVIDER  READY  EXPIRES IN  NEXT REFRESH  REFRESHES
etl         adobe     yes    59s         29s           2
site        auth0     no     now         -             0
old         basic     yes    -           -             -
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

func TestColourMarksReadyAndNothingElse(t *testing.T) {
	t.Parallel()
	states := []state{{name: "etl", provider: "adobe", ready: true, refreshes: 2}, {name: "site", provider: "auth0"}}
	got := table(states, time.Time{}, 80, true)
	if !strings.Contains(got, "  "+green+"yes"+plain+"  ") || !strings.Contains(got, "  "+red+"no"+plain+"  ") {
		t.Errorf("got %q", got)
	}
	if strings.Count(got, plain) != 2 {
		t.Errorf("%d words are coloured, want 2", strings.Count(got, plain))
	}
}

func TestFailuresAreWrappedBetweenWords(t *testing.T) {
	t.Parallel()
	got := failures([]state{{name: "etl", failure: "SecretNotFound: create the Secret etl-client"}, {name: "well"}}, 24, false)
	want := []string{"etl: SecretNotFound:", "  create the Secret", "  etl-client"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestWidestLineOfASampleFits80Columns(t *testing.T) {
	t.Parallel()
	minute := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	s := state{name: "adobe-service-account", provider: "experiture", refreshes: 100, expires: minute.Add(time.Hour), next: minute.Add(time.Minute)}
	for line := range strings.Lines(table([]state{s}, minute, 0, false)) {
		if len(line) > 80 {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
}

func TestFaultsBreakTheTokenEndpointAndLeaveTheAPI(t *testing.T) {
	t.Parallel()
	on := faults{"apsis": "throttle", "auth0": "nonsense", "clock": "2m"}
	if f := on.of(exchangetest.Request{System: exchangetest.Apsis, Path: exchangetest.ApsisTokenPath}); f == nil || f.Status != http.StatusTooManyRequests {
		t.Errorf("the token endpoint: %+v", f)
	}
	if f := on.of(exchangetest.Request{System: exchangetest.Apsis, Path: exchangetest.APIPath}); f != nil {
		t.Errorf("the API: %+v", f)
	}
	if f := on.of(exchangetest.Request{System: exchangetest.Auth0, Path: exchangetest.Auth0TokenPath}); f != nil {
		t.Errorf("a fault that does not exist: %+v", f)
	}
	want := []string{
		"The stand-in of apsis is broken: throttle",
		`ConfigMap faults: there is no fault "nonsense"; use 500, hang, reset, throttle, wrong-key`,
		"The clocks of the stand-ins are 2m0s ahead",
	}
	if diff := cmp.Diff(want, on.describe(100)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
