// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// refreshing asks for pods to be told, where that is enabled.
func refreshing(s *State) { s.Object.Spec.Target.RefreshPods, s.PodRefresh = true, true }

// worked says that the pods were told of the last write.
func worked(s *State) { s.Object.Status.Pods = &v1alpha1.PodsStatus{Mounting: 3, Refreshed: 3} }

// TestRenewalTimeFollowsThePods: the token of steady() lives from 11:00; only if its pods were told of the last write the lead is shorter.
func TestRenewalTimeFollowsThePods(t *testing.T) {
	t.Parallel()
	short := func(s *State) { s.Current.Persisted.ExpiresAt = at("11:05:00") } // a jitter of 15 s and a little
	forbidden := func(s *State) { s.Object.Status.Pods = NewPodsStatus(3, 0, v1alpha1.EventPodRefreshForbidden) }
	for name, tc := range map[string]struct {
		given []func(*State)
		want  string
	}{
		"not asked for":                   {[]func(*State){short}, "11:02:14"},
		"no write yet":                    {[]func(*State){short, refreshing}, "11:02:14"},
		"they were told":                  {[]func(*State){short, refreshing, worked}, "11:03:29"},
		"there are none":                  {[]func(*State){short, refreshing, func(s *State) { s.Object.Status.Pods = &v1alpha1.PodsStatus{} }}, "11:03:29"},
		"forbidden":                       {[]func(*State){short, refreshing, forbidden}, "11:02:14"},
		"they were told, but not anymore": {[]func(*State){short, worked}, "11:02:14"},
		"an hour":                         {[]func(*State){refreshing, worked}, "11:41:59"},
		"one active":                      {[]func(*State){declareOneActive, refreshing, worked}, "11:59:40"},
		"one active, forbidden":           {[]func(*State){declareOneActive, refreshing, forbidden}, "11:58:30"},
		"one active, an early wish":       {[]func(*State){declareOneActive, refreshing, worked, func(s *State) { leadOf(s, 10*time.Minute) }}, "11:59:40"},
	} {
		s := steady()
		for _, given := range tc.given {
			given(s)
		}
		if got := clockText(renewalTime(s).Truncate(time.Second)); got != tc.want {
			t.Errorf("%s: at %s, want %s", name, got, tc.want)
		}
	}
}

// TestPodsMemoryRecall: what status says of pods before anything is decided.
func TestPodsMemoryRecall(t *testing.T) {
	t.Parallel()
	told, known := &v1alpha1.PodsStatus{Mounting: 3, Refreshed: 3}, &v1alpha1.PodsStatus{Mounting: 4, Refreshed: 4}
	disabled := &v1alpha1.PodsStatus{Reason: "PodRefreshDisabled", Message: podRefreshDisabled}
	for name, tc := range map[string]struct {
		asked, enabled bool
		saved, known   *v1alpha1.PodsStatus
		want           *v1alpha1.PodsStatus
	}{
		"not asked for":             {enabled: true, saved: told, known: known},
		"not enabled":               {asked: true, saved: told, known: known, want: disabled},
		"a process begins":          {asked: true, enabled: true, saved: told, want: told},
		"it knows better":           {asked: true, enabled: true, saved: told, known: known, want: known},
		"it was not enabled before": {asked: true, enabled: true, saved: disabled},
		"there was nothing to tell": {asked: true, enabled: true},
	} {
		s := steady()
		s.Object.Spec.Target.RefreshPods, s.PodRefresh, s.Object.Status.Pods = tc.asked, tc.enabled, tc.saved
		m := &PodsMemory{Status: tc.known}
		m.Recall(s)
		if diff := cmp.Diff(tc.want, s.Object.Status.Pods); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

// TestPodsMemoryWantsPodsTold: after writes of data, and once in the life of a process of a write that the one before may not have told of.
func TestPodsMemoryWantsPodsTold(t *testing.T) {
	t.Parallel()
	const before = "before"
	wrote := Result{Wrote: true}
	for name, tc := range map[string]struct {
		given  []func(*State)
		caught bool
		result Result
		// revision is that of the target when the pass began.
		revision string
		want     bool
	}{
		"new data":                         {given: []func(*State){refreshing}, caught: true, result: wrote, revision: before, want: true},
		"only metadata":                    {given: []func(*State){refreshing}, caught: true, result: wrote, revision: "now"},
		"nothing was written":              {given: []func(*State){refreshing}, caught: true, revision: "now"},
		"not asked for":                    {caught: true, result: wrote, revision: before},
		"not enabled":                      {given: []func(*State){refreshing, func(s *State) { s.PodRefresh = false }}, caught: true, result: wrote, revision: before},
		"a process begins, long after":     {given: []func(*State){refreshing}, revision: "now"},
		"a process begins, a minute after": {given: []func(*State){refreshing, func(s *State) { s.Now = at("11:01:00") }}, revision: "now", want: true},
		"the process saw to it":            {given: []func(*State){refreshing, func(s *State) { s.Now = at("11:01:00") }}, caught: true, revision: "now"},
		"somebody else's Secret":           {given: []func(*State){refreshing, func(s *State) { s.Target.Metadata.Annotations[v1alpha1.CredentialAnnotation] = "ads" }}, caught: true, result: wrote, revision: before},
	} {
		s := steady()
		for _, given := range tc.given {
			given(s)
		}
		s.Target.Persisted.DataRevision = "now"
		m := &PodsMemory{CaughtUp: tc.caught}
		if got := m.WantsPodsTold(s, tc.result, tc.revision); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
		if again := m.WantsPodsTold(s, Result{}, "now"); again {
			t.Errorf("%s: again in the next pass", name)
		}
	}
}

// TestNewPodsWarning: once, and again only after it has worked in between.
func TestNewPodsWarning(t *testing.T) {
	t.Parallel()
	const forbidden, failed, disabled = v1alpha1.EventPodRefreshForbidden, v1alpha1.EventPodRefreshFailed, v1alpha1.EventPodRefreshDisabled
	for _, tc := range []struct {
		before, after *v1alpha1.PodsStatus
		want          bool
	}{
		{nil, nil, false},
		{nil, NewPodsStatus(1, 1, ""), false},
		{nil, NewPodsStatus(1, 0, forbidden), true},
		{NewPodsStatus(1, 1, ""), NewPodsStatus(1, 0, forbidden), true},
		{NewPodsStatus(1, 0, forbidden), NewPodsStatus(2, 0, forbidden), false},
		{NewPodsStatus(1, 0, forbidden), NewPodsStatus(1, 0, failed), false},
		{NewPodsStatus(1, 0, failed), NewPodsStatus(1, 1, ""), false},
		{nil, NewPodsStatus(0, 0, disabled), true},
		{NewPodsStatus(0, 0, disabled), NewPodsStatus(0, 0, disabled), false},
		{NewPodsStatus(0, 0, disabled), NewPodsStatus(1, 0, forbidden), true},
		{NewPodsStatus(1, 0, forbidden), nil, false},
	} {
		if got := NewPodsWarning(tc.before, tc.after) != nil; got != tc.want {
			t.Errorf("%+v, then %+v: %v, want %v", tc.before, tc.after, got, tc.want)
		}
	}
}
