// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
)

// watched is a Watchdog on a clock that stands still.
func watched(t *testing.T) (*Watchdog, *clocktesting.FakePassiveClock, *prometheus.Registry) {
	t.Helper()
	clock, registry := clocktesting.NewFakePassiveClock(time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)), prometheus.NewPedanticRegistry()
	w, err := NewWatchdog(clock, registry)
	if err != nil {
		t.Fatal(err)
	}
	return w, clock, registry
}

// TestWatchdogCheck fails only if work is long overdue and none is being done.
func TestWatchdogCheck(t *testing.T) {
	t.Parallel()
	other := types.NamespacedName{Namespace: "marketing", Name: "other"}
	for name, tc := range map[string]struct {
		after time.Duration // when the object is due
		then  func(w *Watchdog, pass func(time.Duration))
		want  bool // the check passes
	}{
		"nothing was ever due":                 {0, func(_ *Watchdog, pass func(time.Duration)) { pass(time.Hour) }, true},
		"overdue by exactly as much as it may": {time.Minute, func(_ *Watchdog, pass func(time.Duration)) { pass(6 * time.Minute) }, true},
		"the queue has stopped":                {time.Minute, func(_ *Watchdog, pass func(time.Duration)) { pass(6*time.Minute + 1) }, false},
		"not due yet":                          {time.Hour, func(_ *Watchdog, pass func(time.Duration)) { pass(time.Hour) }, true},
		"others are looked at": {time.Minute, func(w *Watchdog, pass func(time.Duration)) {
			pass(5 * time.Minute)
			w.Finished(other, 0)
			pass(3 * time.Minute)
		}, true},
		"others were looked at long ago": {time.Minute, func(w *Watchdog, pass func(time.Duration)) {
			pass(5 * time.Minute)
			w.Finished(other, 0)
			pass(3*time.Minute + 1)
		}, false},
		"it is being looked at": {time.Minute, func(w *Watchdog, pass func(time.Duration)) {
			w.Began(etl)
			pass(time.Hour)
		}, true},
		"it is gone": {time.Minute, func(w *Watchdog, pass func(time.Duration)) {
			w.Began(etl)
			w.Finished(etl, 0)
			pass(time.Hour)
		}, true},
	} {
		w, clock, _ := watched(t)
		w.Finished(etl, tc.after)
		tc.then(w, func(d time.Duration) { clock.SetTime(clock.Now().Add(d)) })
		if err := w.Check(nil); (err == nil) != tc.want {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestWatchdogMetrics: a second late is not overdue; the seconds are those of the most overdue object.
func TestWatchdogMetrics(t *testing.T) {
	t.Parallel()
	w, clock, registry := watched(t)
	for i, name := range []string{"a", "b", "c"} {
		w.Finished(types.NamespacedName{Namespace: "marketing", Name: name}, time.Duration(i+1)*time.Second)
	}
	for _, tc := range []struct {
		passed time.Duration
		want   []string
	}{
		{2 * time.Second, []string{"cdpcredential_overdue_objects{} 0", "cdpcredential_overdue_seconds{} 0"}},
		{2 * time.Second, []string{"cdpcredential_overdue_objects{} 2", "cdpcredential_overdue_seconds{} 3"}},
	} {
		clock.SetTime(clock.Now().Add(tc.passed))
		if diff := cmp.Diff(tc.want, scraped(t, registry)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
}

// TestNilWatchdogIgnoresCalls: none may be told of passes.
func TestNilWatchdogIgnoresCalls(*testing.T) {
	var none *Watchdog
	none.Began(etl)
	none.Finished(etl, time.Minute)
}

// TestNewWatchdogRefusesASecondInOneRegistry: two in one registry are an error and no panic.
func TestNewWatchdogRefusesASecondInOneRegistry(t *testing.T) {
	t.Parallel()
	_, clock, registry := watched(t)
	if _, err := NewWatchdog(clock, registry); err == nil {
		t.Error("got no error")
	}
}
