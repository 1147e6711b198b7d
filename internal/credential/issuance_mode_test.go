// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

func declareOneActive(s *State) {
	s.Object.Spec.Refresh = &v1alpha1.Refresh{Issuance: v1alpha1.IssuanceOneActive}
}

// TestRenewalTimeOfEachIssuanceMode: when the token of steady(), which lives from 11:00 to 12:00, is to be replaced. Its jitter is three minutes and a little.
func TestRenewalTimeOfEachIssuanceMode(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given func(*State)
		mode  v1alpha1.IssuanceMode
		want  string
	}{
		"fresh":                              {func(*State) {}, "Fresh", "11:41:59"},
		"basic":                              {basic, "", ""},
		"the held token came back":           {func(s *State) { s.Repeated = true }, "SameUntilExpiry", "12:00:01"},
		"the one before did":                 {func(s *State) { s.Current.Persisted.SameCount = 1 }, "SameUntilExpiry", "12:00:01"},
		"the ninth":                          {func(s *State) { s.Current.Persisted.SameCount = 9 }, "SameUntilExpiry", "12:00:01"},
		"the tenth is tried early":           {func(s *State) { s.Current.Persisted.SameCount = 10 }, "SameUntilExpiry", "11:41:59"},
		"and came back":                      {func(s *State) { s.Current.Persisted.SameCount = 10; s.Repeated = true }, "SameUntilExpiry", "12:00:01"},
		"the eleventh":                       {func(s *State) { s.Current.Persisted.SameCount = 11 }, "SameUntilExpiry", "12:00:01"},
		"the twentieth":                      {func(s *State) { s.Current.Persisted.SameCount = 20 }, "SameUntilExpiry", "11:41:59"},
		"one active":                         {declareOneActive, "OneActive", "11:58:30"},
		"one active, a longer lead":          {func(s *State) { declareOneActive(s); leadOf(s, 10*time.Minute) }, "OneActive", "11:58:30"},
		"one active, a shorter lead":         {func(s *State) { declareOneActive(s); leadOf(s, time.Minute) }, "OneActive", "11:59:00"},
		"one active, lives for two minutes":  {func(s *State) { declareOneActive(s); s.Current.Persisted.IssuedAt = at("11:58:00") }, "OneActive", "11:59:00"},
		"one active, it did not look so yet": {func(s *State) { declareOneActive(s); s.Current.Persisted.SameCount = 3 }, "OneActive", "11:58:30"},
		"one active, but it came back":       {func(s *State) { declareOneActive(s); s.Repeated = true }, "OneActive", "12:00:01"},
		"declared Auto":                      {func(s *State) { s.Object.Spec.Refresh = &v1alpha1.Refresh{Issuance: v1alpha1.IssuanceAuto} }, "Fresh", "11:41:59"},
	} {
		s := steady()
		tc.given(s)
		if got, mode := clockText(renewalTime(s).Truncate(time.Second)), issuanceMode(s); got != tc.want || mode != tc.mode {
			t.Errorf("%s: %s at %s, want %s at %s", name, mode, got, tc.mode, tc.want)
		}
	}
}

func leadOf(s *State, before time.Duration) {
	s.Object.Spec.Refresh.Before = &metav1.Duration{Duration: before}
}

// TestDecideAsksARepeatingEndpointAtExpiry: a token that cannot be had early is asked for when the held one has ended, whatever the minimum interval says, and not before.
func TestDecideAsksARepeatingEndpointAtExpiry(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		now   string
		given func(*State)
		want  decision
	}{
		"before its end":       {"11:59:59", func(*State) {}, decision{action: "nothing"}},
		"at its end":           {"12:00:00", func(*State) {}, decision{action: "nothing"}},
		"a second later":       {"12:00:01", func(*State) {}, decision{action: "issue", cause: "Renewal"}},
		"it came a moment ago": {"12:00:01", func(s *State) { s.LastIssuedAt = at("11:59:59") }, decision{action: "issue", cause: "Renewal"}},
		"another was issued since": {"12:00:04", func(s *State) { s.LastIssuedAt, s.LastNewTokenAt = at("12:00:01"), at("12:00:01") },
			decision{action: "nothing", cause: "Renewal", at: "12:00:11"}},
		"a request comes early":    {"11:30:00", refreshRequested, decision{action: "issue", cause: "Requested"}},
		"requests are spaced":      {"11:30:00", func(s *State) { refreshRequested(s); s.LastIssuedAt = at("11:29:55") }, decision{action: "nothing", cause: "Requested", at: "11:30:05"}},
		"another status is fresh":  {"11:50:00", func(s *State) { s.Repeated = false }, decision{action: "issue", cause: "Renewal"}},
		"the budget is spent":      {"12:00:01", func(s *State) { budget(s, 3, 3) }, decision{action: "nothing", cause: "Renewal", reason: "BudgetSpent", retry: "2026-03-02T00:00:00Z"}},
		"suspended past its end":   {"12:00:01", suspended, decision{action: "nothing"}},
		"the target is gone":       {"11:30:00", missing, decision{action: "issue", cause: "Missing"}},
		"what is wanted is other":  {"11:30:00", func(s *State) { s.Difference = Different }, decision{action: "issue", cause: "Changed"}},
		"only labels are missing":  {"11:59:00", unlabel, decision{action: "rewrite"}},
		"labels, at its end":       {"12:00:00", unlabel, decision{action: "nothing"}},
		"the API does not take it": {"11:30:00", func(s *State) { s.Rejected = true }, decision{action: "issue", cause: "Rejected"}},
	} {
		s := steady()
		s.Now, s.Repeated = at(tc.now), true
		tc.given(s)
		if diff := cmp.Diff(tc.want, decided(Decide(s)), cmp.AllowUnexported(decision{})); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

// TestEndedTokenIsForgivenForAMoment: at the end of the held token, at 12:00, the endpoint may still hand out that one for a moment.
func TestEndedTokenIsForgivenForAMoment(t *testing.T) {
	t.Parallel()
	ended := &exchange.Error{Kind: exchange.Malformed, Cause: token.ErrExpired}
	for name, tc := range map[string]struct {
		now   string
		cause Cause
		given func(*State)
		err   error
		want  bool
	}{
		"right after the end":         {"12:00:01", CauseRenewal, func(*State) {}, ended, true},
		"almost 20 s after it":        {"12:00:19.999", CauseRenewal, func(*State) {}, ended, true},
		"20 s after it":               {"12:00:20", CauseRenewal, func(*State) {}, ended, false},
		"another failure":             {"12:00:01", CauseRenewal, func(*State) {}, unavailable(), false},
		"no expiry is a mistake":      {"12:00:01", CauseRenewal, func(*State) {}, &exchange.Error{Kind: exchange.Malformed, Cause: token.ErrNoExpiry}, false},
		"something else was asked":    {"12:00:01", CauseChanged, func(*State) {}, ended, false},
		"tokens are fresh":            {"12:00:01", CauseRenewal, func(s *State) { s.Repeated = false }, ended, false},
		"the target is another's now": {"12:00:01", CauseRenewal, func(s *State) { s.Current.Found = false }, ended, false},
	} {
		s := steady()
		s.Now, s.Repeated = at(tc.now), true
		tc.given(s)
		if got := endedToken(s, tc.cause, tc.err); got != tc.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func refreshRequested(s *State) {
	s.Object.Annotations = map[string]string{v1alpha1.RefreshRequestedAtAnnotation: "now"}
}

// TestSameOfCountsRepeatedTokens: what a new token says of its endpoint. The held one ends at 12:00.
func TestSameOfCountsRepeatedTokens(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given func(*State)
		cause Cause
		value string
		sent  string
		want  int
	}{
		"fresh":                        {func(*State) {}, CauseRenewal, "new", "11:42:00", 0},
		"fresh, after its end":         {func(*State) {}, CauseRenewal, "new", "12:10:00", 0},
		"after one that came back":     {func(s *State) { s.Repeated = true }, CauseRenewal, "new", "12:00:01", 1},
		"after its end":                {func(s *State) { s.Current.Persisted.SameCount = 4 }, CauseRenewal, "new", "12:00:01", 5},
		"early: it is over":            {func(s *State) { s.Current.Persisted.SameCount = 10 }, CauseRenewal, "new", "11:42:00", 0},
		"early, since somebody asked":  {func(s *State) { s.Current.Persisted.SameCount = 4 }, CauseRequested, "new", "11:42:00", 5},
		"of another request":           {func(s *State) { s.Current.Persisted.SameCount = 4; s.Current.Persisted.SpecHash = "other" }, CauseChanged, "new", "12:00:01", 0},
		"the held one, to live longer": {func(s *State) { s.Current.Persisted.SameCount = 4 }, CauseRenewal, "t0ken", "12:00:01", 4},
		"the held one, first":          {func(s *State) { s.Repeated = true }, CauseRenewal, "t0ken", "12:00:01", 1},
		"one active":                   {func(s *State) { declareOneActive(s); s.Current.Persisted.SameCount = 4 }, CauseRenewal, "new", "12:00:01", 0},
		"no record":                    {func(s *State) { s.Current.Persisted = nil }, CauseReplaced, "new", "12:00:01", 0},
	} {
		s := holdsToken("t0ken")
		tc.given(s)
		got := exchange.Token{Value: exchange.Secret(tc.value), Life: token.Life{IssuedAt: at(tc.sent), ExpiresAt: at(tc.sent).Add(time.Hour)}}
		if same := sameOf(s, tc.cause, got); same != tc.want {
			t.Errorf("%s: got %d, want %d", name, same, tc.want)
		}
	}
}

// holdsToken is steady() with a token whose value is known.
func holdsToken(value string) *State {
	s := steady()
	s.Current.Persisted.SpecHash = s.Desired.SpecHash
	s.Current.Persisted.TokenMAC = s.Current.Persisted.TokenMACOf([]byte(value))
	return s
}

// TestCurrentTokenIsKnownByItsValue: the held token is known again by its value.
func TestCurrentTokenIsKnownByItsValue(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given       func(*State)
		value, ends string
		held, later bool
	}{
		"the same":                    {func(*State) {}, "t0ken", "12:00:00", true, false},
		"the same, to the second":     {func(*State) {}, "t0ken", "12:00:02", true, false},
		"the same, a little earlier":  {func(*State) {}, "t0ken", "11:59:58", true, false},
		"the same, for longer":        {func(*State) {}, "t0ken", "12:00:03", true, true},
		"another":                     {func(*State) {}, "t1ken", "12:00:00", false, false},
		"it was edited":               {func(s *State) { s.Current.Content = ContentReplaced }, "t0ken", "12:00:00", false, false},
		"the target is another's":     {func(s *State) { s.Current.Metadata.Annotations["cdpcredentials.io/credential"] = "other" }, "t0ken", "12:00:00", false, false},
		"the target is gone":          {func(s *State) { s.Current.Found = false }, "t0ken", "12:00:00", false, false},
		"only further keys were lost": {func(s *State) { s.Current.Content = ContentEdited }, "t0ken", "12:00:00", true, false},
	} {
		s := holdsToken("t0ken")
		tc.given(s)
		got := exchange.Token{Value: exchange.Secret(tc.value), Life: token.Life{ExpiresAt: at(tc.ends)}}
		if held := isCurrentToken(s, got); held != tc.held || endsLater(s, got) != tc.later {
			t.Errorf("%s: held %v, ends later %v", name, held, endsLater(s, got))
		}
	}
}

// TestRepeatedBeforeIsOfOneToken: what status has learnt is of one token, known by its end.
func TestRepeatedBeforeIsOfOneToken(t *testing.T) {
	t.Parallel()
	for until, want := range map[string]bool{"12:00:00": true, "11:59:59": true, "12:00:01": true, "11:59:58": false, "12:00:02": false, "11:00:00": false, "": false} {
		s := steady()
		if until != "" {
			s.Object.Status.RepeatedUntil = second(until)
		}
		if got := repeatedBefore(s); got != want {
			t.Errorf("until %s: %v", until, got)
		}
	}
	s := steady()
	s.Repeated = true
	status := NewStatus(s, Plan{}, Result{Repeated: true}, nil)
	if got := status.RepeatedUntil; got == nil || !got.Time.Equal(at("12:00:00")) || status.IssuanceMode != "SameUntilExpiry" || !status.NextRefreshTime.Time.Equal(at("12:00:01")) {
		t.Errorf("status: %+v", status)
	}
	s.Repeated = false
	s.Object.Status = status
	if again := NewStatus(s, Plan{}, Result{}, nil); again.RepeatedUntil != nil || again.IssuanceMode != "Fresh" {
		t.Errorf("after a new token: %+v", again)
	}
}

// TestNotSettled: an API's 401 to a token that has just ended the one before is believed after two minutes.
func TestNotSettled(t *testing.T) {
	t.Parallel()
	for now, want := range map[string]bool{"11:00:00": true, "11:01:59": true, "11:02:00": false, "11:30:00": false} {
		s := steady()
		s.Now = at(now)
		if notSettled(s) {
			t.Errorf("at %s, though old tokens live on", now)
		}
		declareOneActive(s)
		if got := notSettled(s); got != want {
			t.Errorf("at %s: %v", now, got)
		}
	}
}
