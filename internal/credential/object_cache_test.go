// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"testing"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

func TestUnconfirmedVersionGuardsAnInheritedStatus(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given func(*ObjectCache, *v1alpha1.CDPCredentialStatus)
		want  string
	}{
		"inherited":               {func(*ObjectCache, *v1alpha1.CDPCredentialStatus) {}, "5"},
		"patched by this process": {func(c *ObjectCache, _ *v1alpha1.CDPCredentialStatus) { c.ObjectVersion = "4" }, ""},
		"status is empty":         {func(_ *ObjectCache, s *v1alpha1.CDPCredentialStatus) { *s = v1alpha1.CDPCredentialStatus{} }, ""},
		"status has an attempt only": {func(_ *ObjectCache, s *v1alpha1.CDPCredentialStatus) {
			*s = v1alpha1.CDPCredentialStatus{LastAttempt: &v1alpha1.Attempt{}}
		}, "5"},
	} {
		s, cache := steady(), &ObjectCache{}
		s.Object.ResourceVersion = "5"
		saved := &v1alpha1.CDPCredentialStatus{TargetName: "etl-token", LastRefreshTime: second("11:00:00")}
		tc.given(cache, saved)
		if got := cache.UnconfirmedVersion(s.Object, saved); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

// The cache lags from 11:00:00 on, as this process knows version 9.
func TestLagIsShortForTenSeconds(t *testing.T) {
	t.Parallel()
	cache := &ObjectCache{ObjectVersion: "9"}
	for _, step := range []struct {
		now, shown, since string
		want              Lag
	}{
		{"11:00:00", "9", "", NoLag}, {"11:00:00", "8", "11:00:00", ShortLag}, {"11:00:09.999", "8", "11:00:00", ShortLag}, {"11:00:10", "8", "11:00:00", LongLag},
		{"10:00:00", "8", "10:00:00", ShortLag}, // the clock was set back
		{"10:00:05", "10", "", NoLag}, {"10:00:06", "8", "10:00:06", ShortLag},
	} {
		obj := &v1alpha1.CDPCredential{}
		obj.ResourceVersion = step.shown
		if got := cache.LagOf(obj, at(step.now)); got != step.want || clockText(cache.Lagging) != step.since {
			t.Errorf("at %s, version %s: got %d, since %q", step.now, step.shown, got, clockText(cache.Lagging))
		}
	}
}

// An exchange is planned, and this process has not asked the API server yet.
func TestExchangeIsConfirmedWhereSomethingCouldBeLost(t *testing.T) {
	t.Parallel()
	exchange := Plan{Action: ActionIssue, Cause: CauseRenewal}
	for name, tc := range map[string]struct {
		plan  Plan
		given func(*State, *ObjectCache)
		want  bool
	}{
		"the first exchange":                 {exchange, func(*State, *ObjectCache) {}, true},
		"an update":                          {Plan{Action: ActionUpdate}, func(*State, *ObjectCache) {}, true},
		"a rewrite":                          {Plan{Action: ActionRewrite}, func(*State, *ObjectCache) {}, false},
		"confirmed":                          {exchange, func(_ *State, c *ObjectCache) { c.Target.Confirmed = true }, false},
		"confirmed, then a write went wrong": {exchange, func(_ *State, c *ObjectCache) { c.Target.Confirmed, c.Target.Uncertain = true, true }, true},
		"a new object":                       {exchange, func(s *State, _ *ObjectCache) { brandNew(s) }, false},
		"a new object, a write went wrong":   {exchange, func(s *State, c *ObjectCache) { brandNew(s); c.Target.Uncertain = true }, true},
		"a new object with an attempt":       {exchange, func(s *State, _ *ObjectCache) { brandNew(s); s.SavedStatus.LastAttempt = &v1alpha1.Attempt{} }, true},
		"a new object, the target is there":  {exchange, func(s *State, _ *ObjectCache) { s.SavedStatus = v1alpha1.CDPCredentialStatus{} }, true},
		"the flow exchanges nothing":         {exchange, func(s *State, _ *ObjectCache) { basic(s) }, false},
		"a new blocker":                      {Plan{Failure: stalled("SecretNotFound", "")}, func(s *State, c *ObjectCache) { c.Target.Confirmed = true; s.Client = ClientSecret{} }, true},
	} {
		s, cache := steady(), &ObjectCache{}
		s.SavedStatus = v1alpha1.CDPCredentialStatus{TargetName: "etl-token", ObservedGeneration: 3, LastRefreshTime: second("11:00:00")}
		s.Object.Status = s.SavedStatus
		tc.given(s, cache)
		if got := cache.MustConfirm(s, tc.plan); got != tc.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

// brandNew is an object that was never reconciled.
func brandNew(s *State) {
	missing(s)
	s.SavedStatus, s.Object.Status = v1alpha1.CDPCredentialStatus{}, v1alpha1.CDPCredentialStatus{}
}
