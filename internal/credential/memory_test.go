// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"testing"
	"time"

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
		m, target := TokenMemory{Pending: tc.pending}, TargetMemory{Confirmed: tc.confirmed}
		m.Recall(s, &target)
		if s.HasPendingToken != tc.want || (m.Pending != nil) != tc.want || target.Confirmed != tc.then {
			t.Errorf("%s: pending %t, confirmed %t", name, s.HasPendingToken, target.Confirmed)
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
		m := TokenMemory{IssuedAt: timeOf(tc.issued), RepeatedAt: timeOf(tc.repeated), Issuance: &v1alpha1.Issuance{Day: "2026-03-01", Count: 4}, Throttled: &ThrottledAttempt{}}
		target := TargetMemory{Repairs: RepairHistory{Quick: quickRepairs{Weight: 3, Last: at("11:17:00")}}}
		m.Recall(s, &target)
		if clockText(s.LastIssuedAt) != tc.last || clockText(s.LastNewTokenAt) != tc.issued || !s.Throttled || s.Issuance.Count != 4 || s.Repairs.Weight != 3 {
			t.Errorf("%s: last %s, new %s, %+v", name, clockText(s.LastIssuedAt), clockText(s.LastNewTokenAt), s)
		}
		m.Throttled = nil
		if m.Recall(s, &target); s.Throttled {
			t.Errorf("%s: nothing was throttled", name)
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

// The token "this" was tried at an address at 11:17:43, is to be tried again at 11:20:00, and the client Secret is c/7.
func TestVerificationIsNotRepeatedBeforeItsTime(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given func(*State, *VerificationMemory)
		want  bool
	}{
		"tried":                             {func(*State, *VerificationMemory) {}, true},
		"something else was tried":          {func(_ *State, m *VerificationMemory) { m.Verified = "that" }, false},
		"a nanosecond before its time":      {func(s *State, _ *VerificationMemory) { s.Now = at("11:19:59.999999999") }, true},
		"its time has come":                 {func(s *State, _ *VerificationMemory) { s.Now = at("11:20:00") }, false},
		"the CA was bad":                    {func(_ *State, m *VerificationMemory) { m.Distrusted = "c/7" }, true},
		"the CA was bad, Secret is another": {func(_ *State, m *VerificationMemory) { m.Distrusted = "c/6" }, false},
	} {
		s, m := steady(), VerificationMemory{Verified: "this", VerifyAt: at("11:20:00")}
		tc.given(s, &m)
		if got := m.TriedAlready(s, "this"); got != tc.want {
			t.Errorf("%s: got %t", name, got)
		}
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
		if got := clockText(m.RewriteAt(at(step.now))); got != step.want {
			t.Errorf("at %s: got %q, want %q", step.now, got, step.want)
		}
	}
	if m.Rewrites != 2 || m.RewriteSince.Sub(at("10:00:00")) != 0*time.Second {
		t.Errorf("it remembers %+v", m)
	}
}
