// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

func TestTokenMemoryTellsTheStateWhatIsPending(t *testing.T) {
	t.Parallel()
	pendingFrom := func(clock string) *Publication {
		return &Publication{Persisted: PersistedState{PersistedToken: PersistedToken{IssuedAt: at(clock)}}}
	}
	for name, tc := range map[string]struct {
		pending   *Publication // the target's token is from 11:00:00
		given     func(*State)
		confirmed bool // before
		want      bool // it is still pending
		then      bool // the target is confirmed
	}{
		"nothing is pending":                   {nil, nil, false, false, false},
		"the target has an older token":        {pendingFrom("11:00:01"), nil, false, true, false},
		"the target has that token":            {pendingFrom("11:00:00"), nil, false, false, true},
		"the target has a newer one":           {pendingFrom("10:59:59"), nil, false, false, false},
		"a newer one, in a confirmed target":   {pendingFrom("10:59:59"), nil, true, false, true},
		"an older one, in a confirmed target":  {pendingFrom("11:00:01"), nil, true, true, true},
		"the target is gone":                   {pendingFrom("11:00:00"), missing, false, true, false},
		"the target is gone, it was confirmed": {pendingFrom("11:00:00"), missing, true, true, true},
	} {
		s := steady()
		if tc.given != nil {
			tc.given(s)
		}
		cache := &ObjectCache{Token: TokenMemory{Pending: tc.pending}, Target: TargetMemory{Confirmed: tc.confirmed}}
		cache.Recall(s)
		if pending := s.Pending != nil; pending != tc.want || (cache.Token.Pending != nil) != tc.want || cache.Target.Confirmed != tc.then {
			t.Errorf("%s: pending %t, confirmed %t", name, pending, cache.Target.Confirmed)
		}
	}
}

func TestTokenMemoryTellsTheStateOfTheLastToken(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ issued, repeated, last string }{
		"none":                {"", "", ""},
		"issued":              {"11:10:00", "", "11:10:00"},
		"issued, then again":  {"11:10:00", "11:12:00", "11:12:00"},
		"issued after that":   {"11:10:00", "11:05:00", "11:10:00"},
		"given again, and no": {"", "11:05:00", "11:05:00"},
	} {
		s := steady()
		cache := &ObjectCache{Token: TokenMemory{
			IssuedAt: timeOf(tc.issued), RepeatedAt: timeOf(tc.repeated), Issuance: &v1alpha1.Issuance{Day: "2026-03-01", Count: 4}, Throttled: &ThrottledAttempt{},
		}}
		cache.Target.Repairs.Quick = quickRepairs{Weight: 3, Last: at("11:17:00")}
		cache.Target.Terminating = true
		cache.Recall(s)
		if clockText(s.LastIssuedAt) != tc.last || clockText(s.LastNewTokenAt) != tc.issued || s.Throttled == nil || s.Issuance.Count != 4 || s.Repairs.Weight != 3 || !s.Terminating {
			t.Errorf("%s: last %s, new %s, %+v", name, clockText(s.LastIssuedAt), clockText(s.LastNewTokenAt), s)
		}
	}
}

func TestUnpublishedTokenCountsForTheDay(t *testing.T) {
	t.Parallel()
	s := steady()
	s.Object.Status.Issuance = &v1alpha1.Issuance{Day: "2026-03-01", Count: 7}
	var m TokenMemory
	m.CountUnpublished(s)
	m.CountUnpublished(s)
	want := &v1alpha1.Issuance{Day: "2026-03-01", Count: 9}
	if diff := cmp.Diff([]*v1alpha1.Issuance{want, want}, []*v1alpha1.Issuance{m.Issuance, s.Issuance}); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if s.Object.Status.Issuance.Count != 7 {
		t.Error("status has changed")
	}
}

func TestCleanupRemembersThePreviousTarget(t *testing.T) {
	t.Parallel()
	for saved, want := range map[string]string{"": "known before", "etl-token": "known before", "etl-old": "etl-old"} {
		s, c := steady(), Cleanup{Before: "known before"}
		s.SavedStatus.TargetName = saved
		if c.Remember(s); c.Before != want {
			t.Errorf("status names %q: got %q, want %q", saved, c.Before, want)
		}
	}
}

// Five rewrites within 10 s are made at once, the sixth waits for the end of these. The clock may be set back meanwhile.
func TestRewritesAreFiveInTenSeconds(t *testing.T) {
	t.Parallel()
	var m TargetMemory
	for _, step := range []struct{ now, want string }{
		{"11:00:00", ""}, {"11:00:01", ""}, {"11:00:02", ""}, {"11:00:03", ""}, {"11:00:09", ""},
		{"11:00:09.999", "11:00:10"}, {"11:00:10", ""}, {"11:00:11", ""}, {"11:00:11", ""}, {"11:00:11", ""}, {"11:00:11", ""},
		{"11:00:12", "11:00:20"}, {"10:00:00", ""}, {"10:00:01", ""},
	} {
		s := steady()
		s.Now = at(step.now)
		if got := clockText(m.rewriteAt(s)); got != step.want {
			t.Errorf("at %s: got %q, want %q", step.now, got, step.want)
		}
		if step.want == "" {
			m.CountRewrite(s.Now)
		}
	}
	if m.Rewrites != 2 || !m.RewriteSince.Equal(at("10:00:00")) {
		t.Errorf("it remembers %+v", m)
	}
}
