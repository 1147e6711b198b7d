package controllers

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

func declareOneActive(v *view) {
	v.obj.Spec.Refresh = &v1alpha1.Refresh{Issuance: v1alpha1.IssuanceOneActive}
}

// TestRenewAt: when the token of steady(), which lives from 11:00 to 12:00, is to be replaced. Its jitter is three minutes and a little.
func TestRenewAt(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given func(*view)
		mode  v1alpha1.IssuanceMode
		want  string
	}{
		"fresh":                              {func(*view) {}, "Fresh", "11:41:59"},
		"basic":                              {basic, "", ""},
		"the held token came back":           {func(v *view) { v.repeated = true }, "SameUntilExpiry", "12:00:01"},
		"the one before did":                 {func(v *view) { v.held.rec.Same = 1 }, "SameUntilExpiry", "12:00:01"},
		"the ninth":                          {func(v *view) { v.held.rec.Same = 9 }, "SameUntilExpiry", "12:00:01"},
		"the tenth is tried early":           {func(v *view) { v.held.rec.Same = 10 }, "SameUntilExpiry", "11:41:59"},
		"and came back":                      {func(v *view) { v.held.rec.Same = 10; v.repeated = true }, "SameUntilExpiry", "12:00:01"},
		"the eleventh":                       {func(v *view) { v.held.rec.Same = 11 }, "SameUntilExpiry", "12:00:01"},
		"the twentieth":                      {func(v *view) { v.held.rec.Same = 20 }, "SameUntilExpiry", "11:41:59"},
		"one active":                         {declareOneActive, "OneActive", "11:58:30"},
		"one active, a longer lead":          {func(v *view) { declareOneActive(v); leadOf(v, 10*time.Minute) }, "OneActive", "11:58:30"},
		"one active, a shorter lead":         {func(v *view) { declareOneActive(v); leadOf(v, time.Minute) }, "OneActive", "11:59:00"},
		"one active, lives for two minutes":  {func(v *view) { declareOneActive(v); v.held.rec.IssuedAt = at("11:58:00") }, "OneActive", "11:59:00"},
		"one active, it did not look so yet": {func(v *view) { declareOneActive(v); v.held.rec.Same = 3 }, "OneActive", "11:58:30"},
		"one active, but it came back":       {func(v *view) { declareOneActive(v); v.repeated = true }, "OneActive", "12:00:01"},
		"declared Auto":                      {func(v *view) { v.obj.Spec.Refresh = &v1alpha1.Refresh{Issuance: v1alpha1.IssuanceAuto} }, "Fresh", "11:41:59"},
	} {
		v := steady()
		tc.given(v)
		if got, mode := clockText(renewAt(v).Truncate(time.Second)), issuanceMode(v); got != tc.want || mode != tc.mode {
			t.Errorf("%s: %s at %s, want %s at %s", name, mode, got, tc.mode, tc.want)
		}
	}
}

func leadOf(v *view, before time.Duration) {
	v.obj.Spec.Refresh.Before = &metav1.Duration{Duration: before}
}

// TestPlanSameUntilExpiry: a token that cannot be had early is asked for when the held one has ended, whatever the minimum interval says, and not before.
func TestPlanSameUntilExpiry(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		now   string
		given func(*view)
		want  decision
	}{
		"before its end":       {"11:59:59", func(*view) {}, decision{action: "nothing"}},
		"at its end":           {"12:00:00", func(*view) {}, decision{action: "nothing"}},
		"a second later":       {"12:00:01", func(*view) {}, decision{action: "issue", cause: "Renewal"}},
		"it came a moment ago": {"12:00:01", func(v *view) { v.issuedAt = at("11:59:59") }, decision{action: "issue", cause: "Renewal"}},
		"another was issued since": {"12:00:04", func(v *view) { v.issuedAt, v.newTokenAt = at("12:00:01"), at("12:00:01") },
			decision{action: "nothing", cause: "Renewal", at: "12:00:11"}},
		"a request comes early":    {"11:30:00", refreshRequested, decision{action: "issue", cause: "Requested"}},
		"requests are spaced":      {"11:30:00", func(v *view) { refreshRequested(v); v.issuedAt = at("11:29:55") }, decision{action: "nothing", cause: "Requested", at: "11:30:05"}},
		"another status is fresh":  {"11:50:00", func(v *view) { v.repeated = false }, decision{action: "issue", cause: "Renewal"}},
		"the budget is spent":      {"12:00:01", func(v *view) { budget(v, 3, 3) }, decision{action: "nothing", cause: "Renewal", reason: "BudgetSpent", retry: "2026-03-02T00:00:00Z"}},
		"suspended past its end":   {"12:00:01", suspended, decision{action: "nothing"}},
		"the target is gone":       {"11:30:00", missing, decision{action: "issue", cause: "Missing"}},
		"what is wanted is other":  {"11:30:00", func(v *view) { v.difference = different }, decision{action: "issue", cause: "Changed"}},
		"only labels are missing":  {"11:59:00", unlabel, decision{action: "rewrite"}},
		"labels, at its end":       {"12:00:00", unlabel, decision{action: "nothing"}},
		"the API does not take it": {"11:30:00", func(v *view) { v.rejected = true }, decision{action: "issue", cause: "Rejected"}},
	} {
		v := steady()
		v.now, v.repeated = at(tc.now), true
		tc.given(v)
		if diff := cmp.Diff(tc.want, decided(plan(v)), cmp.AllowUnexported(decision{})); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

func refreshRequested(v *view) {
	v.obj.Annotations = map[string]string{v1alpha1.RefreshRequestedAtAnnotation: "now"}
}

// TestSameOf: what a new token says of its endpoint. The held one ends at 12:00.
func TestSameOf(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given func(*view)
		cause cause
		value string
		sent  string
		want  int
	}{
		"fresh":                        {func(*view) {}, causeRenewal, "new", "11:42:00", 0},
		"fresh, after its end":         {func(*view) {}, causeRenewal, "new", "12:10:00", 0},
		"after one that came back":     {func(v *view) { v.repeated = true }, causeRenewal, "new", "12:00:01", 1},
		"after its end":                {func(v *view) { v.held.rec.Same = 4 }, causeRenewal, "new", "12:00:01", 5},
		"early: it is over":            {func(v *view) { v.held.rec.Same = 10 }, causeRenewal, "new", "11:42:00", 0},
		"early, since somebody asked":  {func(v *view) { v.held.rec.Same = 4 }, causeRequested, "new", "11:42:00", 5},
		"of another request":           {func(v *view) { v.held.rec.Same = 4; v.held.rec.Asked = "other" }, causeChanged, "new", "12:00:01", 0},
		"the held one, to live longer": {func(v *view) { v.held.rec.Same = 4 }, causeRenewal, "t0ken", "12:00:01", 4},
		"the held one, first":          {func(v *view) { v.repeated = true }, causeRenewal, "t0ken", "12:00:01", 1},
		"one active":                   {func(v *view) { declareOneActive(v); v.held.rec.Same = 4 }, causeRenewal, "new", "12:00:01", 0},
		"no record":                    {func(v *view) { v.held.rec = nil }, causeReplaced, "new", "12:00:01", 0},
	} {
		v := holdsToken("t0ken")
		tc.given(v)
		got := exchange.Token{Value: exchange.Secret(tc.value), Life: token.Life{IssuedAt: at(tc.sent), ExpiresAt: at(tc.sent).Add(time.Hour)}}
		if same := sameOf(v, step{cause: tc.cause}, got); same != tc.want {
			t.Errorf("%s: got %d, want %d", name, same, tc.want)
		}
	}
}

// holdsToken is steady() with a token whose value is known.
func holdsToken(value string) *view {
	v := steady()
	v.held.rec.Asked = v.intent.asked
	v.held.rec.Token = v.held.rec.seal([]byte(value))
	return v
}

// TestIsHeld: the held token is known again by its value.
func TestIsHeld(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given       func(*view)
		value, ends string
		held, later bool
	}{
		"the same":                    {func(*view) {}, "t0ken", "12:00:00", true, false},
		"the same, to the second":     {func(*view) {}, "t0ken", "12:00:02", true, false},
		"the same, a little earlier":  {func(*view) {}, "t0ken", "11:59:58", true, false},
		"the same, for longer":        {func(*view) {}, "t0ken", "12:00:03", true, true},
		"another":                     {func(*view) {}, "t1ken", "12:00:00", false, false},
		"it was edited":               {func(v *view) { v.held.content = replaced }, "t0ken", "12:00:00", false, false},
		"the target is another's":     {func(v *view) { v.held.meta.Annotations["cdpcredentials.io/credential"] = "other" }, "t0ken", "12:00:00", false, false},
		"the target is gone":          {func(v *view) { v.held.found = false }, "t0ken", "12:00:00", false, false},
		"only further keys were lost": {func(v *view) { v.held.content = edited }, "t0ken", "12:00:00", true, false},
	} {
		v := holdsToken("t0ken")
		tc.given(v)
		got := exchange.Token{Value: exchange.Secret(tc.value), Life: token.Life{ExpiresAt: at(tc.ends)}}
		if held := isHeld(v, got); held != tc.held || endsLater(v, got) != tc.later {
			t.Errorf("%s: held %v, ends later %v", name, held, endsLater(v, got))
		}
	}
}

// TestRepeatedBefore: what status has learnt is of one token, known by its end.
func TestRepeatedBefore(t *testing.T) {
	t.Parallel()
	for until, want := range map[string]bool{"12:00:00": true, "11:59:59": true, "12:00:01": true, "11:59:58": false, "12:00:02": false, "11:00:00": false, "": false} {
		v := steady()
		if until != "" {
			v.obj.Status.RepeatedUntil = second(until)
		}
		if got := repeatedBefore(v); got != want {
			t.Errorf("until %s: %v", until, got)
		}
	}
	v := steady()
	v.repeated = true
	status := report(v, step{}, outcome{repeated: true}, nil)
	if got := status.RepeatedUntil; got == nil || !got.Time.Equal(at("12:00:00")) || status.IssuanceMode != "SameUntilExpiry" || !status.NextRefreshTime.Time.Equal(at("12:00:01")) {
		t.Errorf("status: %+v", status)
	}
	v.repeated = false
	v.obj.Status = status
	if again := report(v, step{}, outcome{}, nil); again.RepeatedUntil != nil || again.IssuanceMode != "Fresh" {
		t.Errorf("after a new token: %+v", again)
	}
}

// TestNotSettled: an API's 401 to a token that has just ended the one before is believed after two minutes.
func TestNotSettled(t *testing.T) {
	t.Parallel()
	for now, want := range map[string]bool{"11:00:00": true, "11:01:59": true, "11:02:00": false, "11:30:00": false} {
		v := steady()
		v.now = at(now)
		if notSettled(v) {
			t.Errorf("at %s, though old tokens live on", now)
		}
		declareOneActive(v)
		if got := notSettled(v); got != want {
			t.Errorf("at %s: %v", now, got)
		}
	}
}
