// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/google/go-cmp/cmp"
)

// The target was renamed, and the previous one holds a token from 11:00:00.
func TestNewerTokenOfThePreviousTargetIsTheCurrentOne(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given func(s *State, before *TargetSecret)
		want  string
	}{
		"the new target is empty":      {func(s *State, _ *TargetSecret) { s.Target = TargetSecret{Name: "etl-new"} }, "etl-token"},
		"the new target's is older":    {func(s *State, _ *TargetSecret) { s.Target.Persisted.IssuedAt = at("10:59:59") }, "etl-token"},
		"the new target's is the same": {func(*State, *TargetSecret) {}, "etl-new"},
		"the new target's is newer":    {func(s *State, _ *TargetSecret) { s.Target.Persisted.IssuedAt = at("11:00:01") }, "etl-new"},
		"it has expired":               {func(s *State, _ *TargetSecret) { s.Target, s.Now = TargetSecret{Name: "etl-new"}, at("12:00:00") }, "etl-new"},
		"it has no record":             {func(s *State, b *TargetSecret) { b.Persisted = nil }, "etl-new"},
		"it is another object's": {func(s *State, b *TargetSecret) {
			s.Target = TargetSecret{Name: "etl-new"}
			b.Metadata.Annotations = map[string]string{"cdpcredentials.io/credential": "web"}
		}, "etl-new"},
	} {
		s, before := steady(), steady().Target
		s.Target.Name, s.Current.Name = "etl-new", "etl-new"
		tc.given(s, &before)
		if s.PreferNewer(before); s.Current.Name != tc.want {
			t.Errorf("%s: got %s", name, s.Current.Name)
		}
	}
}

func TestWriteThatChangedNothingIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]Result{"t/10": {Wrote: true}, "t/9": {Wrote: true, At: at("11:17:43")}} {
		if diff := cmp.Diff(want, Written(steady(), version)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", version, diff)
		}
	}
}

func TestPlanExchangesAndRehearses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		plan                 Plan
		given                func(*State)
		exchanges, rehearses bool
	}{
		"issue":                       {Plan{Action: ActionIssue}, func(*State) {}, true, false},
		"update":                      {Plan{Action: ActionUpdate}, func(*State) {}, true, false},
		"rewrite":                     {Plan{Action: ActionRewrite}, func(*State) {}, false, false},
		"nothing":                     {Plan{}, func(*State) {}, false, false},
		"basic":                       {Plan{Action: ActionIssue}, basic, false, false},
		"issue, a write was refused":  {Plan{Action: ActionIssue}, func(s *State) { s.Object.Status.WriteRefusals = 1 }, true, true},
		"publish what was issued":     {Plan{Action: ActionIssue, Publish: &Publication{}}, func(s *State) { s.Object.Status.WriteRefusals = 1 }, true, false},
		"rewrite, a write is refused": {Plan{Action: ActionRewrite}, func(s *State) { s.Object.Status.WriteRefusals = 1 }, false, false},
	} {
		s := steady()
		tc.given(s)
		if exchanges, rehearses := tc.plan.Exchanges(s), tc.plan.Rehearses(s); exchanges != tc.exchanges || rehearses != tc.rehearses {
			t.Errorf("%s: exchanges %t, rehearses %t", name, exchanges, rehearses)
		}
	}
}

func TestSpecDifferenceByHashes(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		rec, desired [2]string // the hash, and the one without what can be updated
		want         Difference
	}{
		"the same":              {[2]string{"a", "r"}, [2]string{"a", "r"}, Same},
		"what can be updated":   {[2]string{"a", "r"}, [2]string{"b", "r"}, UpdatableOnly},
		"something else":        {[2]string{"a", "r"}, [2]string{"b", "s"}, Different},
		"nothing can be":        {[2]string{"a", ""}, [2]string{"b", ""}, Different},
		"nothing can be, again": {[2]string{"a", "r"}, [2]string{"b", ""}, Different},
	} {
		rec := &PersistedState{PersistedRequest: PersistedRequest{SpecHash: tc.rec[0], SpecHashWithoutUpdatable: tc.rec[1]}}
		if got := SpecDifference(rec, &DesiredFlow{SpecHash: tc.desired[0], SpecHashWithoutUpdatable: tc.desired[1]}); got != tc.want {
			t.Errorf("%s: got %d", name, got)
		}
	}
}

func TestClientSecretIsReadFromItsMetadata(t *testing.T) {
	t.Parallel()
	meta := &metav1.ObjectMeta{UID: "c", ResourceVersion: "7", Annotations: map[string]string{
		"cdpcredentials.io/allowed-hosts": "auth.example.com", "cdpcredentials.io/allowed-ca": "sha256:1", "cdpcredentials.io/allow-basic": "true",
	}}
	want := ClientSecret{Found: true, Version: "c/7", AllowedHosts: "auth.example.com", AllowedCA: "sha256:1", AllowBasic: "true"}
	if diff := cmp.Diff(want, ClientSecretOf(meta)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	meta.Annotations["cdpcredentials.io/credential"], meta.Annotations["cdpcredentials.io/state"] = "web", "{}"
	want.Managed, want.PersistedState = true, "{}"
	if diff := cmp.Diff(want, ClientSecretOf(meta)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
