// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// quarrel has status know of a contest.
func quarrel(s *State, repairs int32, until string) {
	s.Object.Status.Contest = &v1alpha1.Contest{Repairs: repairs, Until: *second(until)}
}

// mine says that the target was written by this object before.
func mine(s *State) { s.Object.Status.TargetName = "etl-token" }

// TestDecideRepairsAContestedTargetEverLater: the first repairs are made at once. Who keeps undoing them is answered after 10 s, and then ever more seldom; what has to be done for
// other reasons goes on. The time is 11:17:43.
func TestDecideRepairsAContestedTargetEverLater(t *testing.T) {
	t.Parallel()
	repaired := func(weight int, last string) func(*State) {
		return func(s *State) { s.Repairs = quickRepairs{Weight: weight, Last: at(last)} }
	}
	contested := func(retry string) decision {
		return decision{action: "nothing", reason: "TargetContested", retry: retry}
	}
	replacedToken, editedKey := holding(replacedContent), holding(editedContent)
	in := func(until string) func(*State) { return func(s *State) { quarrel(s, 3, until) } }
	tests := map[string]struct {
		given []func(*State)
		want  decision
	}{
		"a token is replaced":                    {[]func(*State){mine, replacedToken}, decision{action: "issue", cause: "Replaced"}},
		"for the second time":                    {[]func(*State){mine, replacedToken, repaired(2, "11:17:30")}, decision{action: "issue", cause: "Replaced"}},
		"for the third time":                     {[]func(*State){mine, replacedToken, repaired(4, "11:17:40")}, contested("11:17:50")},
		"for the third time, a while later":      {[]func(*State){mine, replacedToken, repaired(4, "11:17:23")}, decision{action: "issue", cause: "Replaced"}},
		"for the third time, after ten seconds":  {[]func(*State){mine, replacedToken, repaired(4, "11:17:33")}, decision{action: "issue", cause: "Replaced"}},
		"the target is deleted":                  {[]func(*State){missing, mine, repaired(4, "11:17:40")}, contested("11:17:50")},
		"the target was never there":             {[]func(*State){missing, repaired(4, "11:17:40")}, decision{action: "issue", cause: "Missing"}},
		"a key is edited":                        {[]func(*State){mine, editedKey, repaired(4, "11:17:40")}, decision{action: "rewrite"}},
		"a key is edited for the sixth time":     {[]func(*State){mine, editedKey, repaired(5, "11:17:40")}, contested("11:17:50")},
		"a label is taken for the sixth time":    {[]func(*State){mine, unlabel, repaired(5, "11:17:40")}, contested("11:17:50")},
		"basic: a label for the sixth time":      {[]func(*State){basic, mine, unlabel, repaired(5, "11:17:40")}, contested("11:17:50")},
		"basic: the password for the third time": {[]func(*State){basic, mine, replacedToken, repaired(4, "11:17:40")}, contested("11:17:50")},
		"the object wants another label": {[]func(*State){mine, repaired(5, "11:17:40"), func(s *State) {
			s.Object.Spec.Target.Labels = map[string]v1alpha1.LabelValue{"team": "a"}
		}}, decision{action: "rewrite"}},
		"the target is renamed": {[]func(*State){renamed, repaired(5, "11:17:40")}, decision{action: "rewrite"}},

		"in a contest, undone":                                  {[]func(*State){mine, replacedToken, in("11:20:00")}, contested("11:20:00")},
		"in a contest, not undone":                              {[]func(*State){mine, in("11:20:00")}, contested("11:20:00")},
		"undone, and it is time":                                {[]func(*State){mine, replacedToken, in("11:17:43")}, decision{action: "issue", cause: "Replaced"}},
		"not undone, and it is time":                            {[]func(*State){mine, in("11:17:43")}, decision{action: "nothing"}},
		"in a contest, a renewal is due":                        {[]func(*State){mine, in("11:55:00"), func(s *State) { s.Now = at("11:50:00") }}, decision{action: "issue", cause: "Renewal"}},
		"a renewal comes first":                                 {[]func(*State){mine, unlabel, in("11:48:00"), func(s *State) { s.Now = at("11:40:00") }}, contested("11:41:59.978638707")},
		"a token that cannot be had before its end comes first": {[]func(*State){mine, in("12:09:00"), func(s *State) { s.Repeated = true; s.Now = at("12:00:00") }}, contested("12:00:01")},
		"in a contest, a request":                               {[]func(*State){mine, in("11:20:00"), func(s *State) { request(s, "today") }}, decision{action: "issue", cause: "Requested"}},
		"suspended":                                             {[]func(*State){mine, in("11:20:00"), suspended}, decision{action: "nothing"}},
		// The endpoint's failure is waited out first.
		"undone, and the exchange has failed": {[]func(*State){mine, replacedToken, in("11:20:00"), func(s *State) { failed(s, "CredentialsRejected", "11:32:00") }}, decision{
			action: "nothing", cause: "Replaced", keep: true, at: "11:32:00",
		}},
		"a label is taken, and a renewal waits": {[]func(*State){mine, unlabel, func(s *State) { failed(s, "EndpointUnavailable", "11:52:00"); s.Now = at("11:50:00") }}, decision{
			action: "rewrite", cause: "Renewal", keep: true, at: "11:52:00",
		}},
		// A label is not put back beside an exchange that waits.
		"undone, and a renewal waits": {[]func(*State){mine, unlabel, in("11:55:00"), func(s *State) { failed(s, "EndpointUnavailable", "11:52:00"); s.Now = at("11:50:00") }}, decision{
			action: "nothing", cause: "Renewal", keep: true, at: "11:52:00",
		}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := steady()
			for _, given := range tc.given {
				given(s)
			}
			if diff := cmp.Diff(tc.want, decided(Decide(s)), cmp.AllowUnexported(decision{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestContestDoublesWithEachRepair: each repair has to stay for twice as long as the one before, ten minutes at most, and until then TargetContested is told.
func TestContestDoublesWithEachRepair(t *testing.T) {
	t.Parallel()
	for repairs, want := range map[int32]time.Duration{1: 20 * time.Second, 2: 40 * time.Second, 5: 320 * time.Second, 6: 10 * time.Minute, 1000: 10 * time.Minute} {
		s := steady()
		mine(s)
		quarrel(s, repairs, "11:17:43")
		status := NewStatus(s, Plan{Action: ActionIssue, Cause: CauseReplaced, Repair: 2, Contest: s.Object.Status.Contest}, Result{Wrote: true}, nil)
		if got := status.Contest.Until.Sub(s.Now); got != want {
			t.Errorf("after %d repairs the next is in %s, want %s", repairs, got, want)
		}
		if got := refreshedReason(&status); got != "TargetContested" {
			t.Errorf("Refreshed is %s", got)
		}
	}
	s := steady()
	mine(s)
	quarrel(s, 3, "11:17:43")
	plan := Decide(s)
	if status := NewStatus(s, plan, Result{}, nil); status.Contest != nil || refreshedReason(&status) != "" {
		t.Errorf("what has stayed as long is still contested: %v", status.Contest)
	}
}

// TestRequeueEndsAContest: an object is looked at again when its contest ends, and for its renewal before that, at 11:42. A time that is later than any wait is
// of another clock, or of one that was set since: it counts as the longest.
func TestRequeueEndsAContest(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		now     string
		repairs int32
		until   string
		want    string
	}{
		{"11:17:43", 3, "11:18:00", "17s"},
		{"11:40:00", 20, "11:48:00", "1m59.978638707s"},
		{"11:17:43", 3, "12:17:43", "10m1s"},
	} {
		s := steady()
		mine(s)
		s.Now = at(test.now)
		quarrel(s, test.repairs, test.until)
		plan, result, status := pass(t, s, nil)
		if got := RequeueAfter(s, plan, result, time.Time{}, &status).String(); got != test.want {
			t.Errorf("%+v: got %s", test, got)
		}
	}
}

// TestRepairWithALostAnswerCounts: a repair whose answer was lost counts as soon as the target shows it, and has to stay as long as if it had been answered.
func TestRepairWithALostAnswerCounts(t *testing.T) {
	t.Parallel()
	third := &v1alpha1.Contest{Repairs: 3, Until: *second("11:17:43")}
	for name, tc := range map[string]struct {
		given   func(*State)
		lost    *unansweredRepair
		weight  int
		until   string
		settled bool
	}{
		"it was made":                   {mine, &unansweredRepair{2, nil}, 4, "", true},
		"it was made, in a contest":     {mine, &unansweredRepair{2, third}, 4, "11:19:03", true},
		"it was not made":               {func(s *State) { mine(s); holding(replacedContent)(s) }, &unansweredRepair{2, third}, 2, "", false},
		"it was not made, of a key":     {func(s *State) { mine(s); holding(editedContent)(s) }, &unansweredRepair{1, third}, 2, "", false},
		"it was made, of a key":         {mine, &unansweredRepair{1, nil}, 3, "", true},
		"somebody has taken the target": {func(s *State) { mine(s); missing(s) }, &unansweredRepair{2, third}, 2, "", false},
		"nothing was to be repaired":    {mine, nil, 2, "", true},
	} {
		s, repairs := steady(), &RepairHistory{Quick: quickRepairs{Weight: 2, Last: at("11:17:33")}, Lost: tc.lost}
		tc.given(s)
		repairs.Confirm(s)
		until := ""
		if c := s.Object.Status.Contest; c != nil {
			until = clockText(c.Until.Time)
		}
		if repairs.Quick.Weight != tc.weight || until != tc.until || (repairs.Lost == nil) != tc.settled {
			t.Errorf("%s: weight %d, until %q, settled %v; want %d, %q, %v", name, repairs.Quick.Weight, until, repairs.Lost == nil, tc.weight, tc.until, tc.settled)
		}
	}
	if NewUnansweredRepair(Plan{Repair: 2}, nil) != nil || NewUnansweredRepair(Plan{}, errors.ErrUnsupported) != nil || NewUnansweredRepair(Plan{Repair: 2}, errors.ErrUnsupported) == nil {
		t.Error("a repair is unanswered if there was one, and it ended in an error")
	}
}

// TestContestMessageIsSteady says what to do, and nothing that changes from repair to repair.
func TestContestMessageIsSteady(t *testing.T) {
	t.Parallel()
	s := steady()
	f := contested(s, &v1alpha1.Contest{Repairs: 7, Until: *second("11:20:00")})
	if f.Stalled || f.Attempted || strings.ContainsAny(f.Message, "0123456789") || !strings.Contains(f.Message, "Secret etl-token") {
		t.Errorf("%+v", f)
	}
}
