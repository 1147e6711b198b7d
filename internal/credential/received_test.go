// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

func TestReceivedTokenIsPublishedAndRemembered(t *testing.T) {
	t.Parallel()
	fresh := exchange.Token{Value: "new", Type: "Bearer", Life: token.Life{IssuedAt: at("11:17:42"), ExpiresAt: at("12:17:42")}}
	for name, tc := range map[string]struct {
		action             Action
		given              func(*State)
		published, counted bool
		throttled          bool // what is remembered of a 429 stays
	}{
		"issued":  {ActionIssue, func(*State) {}, true, true, false},
		"updated": {ActionUpdate, algonomy, true, false, false},
		"basic":   {ActionIssue, basic, true, false, true},
	} {
		s := steady()
		tc.given(s)
		a := &Attempt{Cache: &ObjectCache{Token: TokenMemory{Throttled: &ThrottledAttempt{}, Repeats: 2}}, Jitter: func() float64 { return 0 }}
		p, result := a.Received(s, Plan{Action: tc.action, Cause: CauseRenewal, Request: exchange.Request{Flow: s.Desired.Flow}}, fresh, []byte("salt"))
		m := a.Cache.Token
		if (p != nil) != tc.published || p != m.Pending || result.Failure != nil || m.Repeats != 0 || (m.Throttled != nil) != tc.throttled {
			t.Errorf("%s: got %+v, %+v, remembered %+v", name, p, result, m)
		}
		if counted := m.Issuance != nil; counted != tc.counted || counted != m.IssuedAt.Equal(at("11:17:42")) || counted != (s.Issuance != nil && s.Issuance.Count == 1) {
			t.Errorf("%s: remembered %+v", name, m)
		}
	}
}

func TestReceivedTokenThatIsTheCurrentOneIsNotNew(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		expires string
		action  Action
		fresh   bool
	}{
		"the same":            {"12:00:00", ActionIssue, false},
		"it lives longer now": {"12:30:00", ActionIssue, true},
		"it was updated":      {"12:00:00", ActionUpdate, true},
	} {
		s := steady()
		a, req := attempted(s)
		s.Current.Persisted.TokenMAC = s.Current.Persisted.TokenMACOf([]byte("t0ken"))
		got := exchange.Token{Value: "t0ken", Life: token.Life{IssuedAt: at("11:17:42"), ExpiresAt: at(tc.expires)}}
		p, result := a.Received(s, Plan{Action: tc.action, Cause: CauseRenewal, Request: req}, got, []byte("salt"))
		if fresh := p != nil && !p.Repeated; fresh != tc.fresh || result.Repeated == tc.fresh {
			t.Errorf("%s: got %+v, %+v", name, p, result)
		}
	}
}

func TestTokenThatIsDeadOnArrival(t *testing.T) {
	t.Parallel()
	for now, want := range map[string]bool{"11:59:59.999": false, "12:00:00": true, "12:00:01": true} {
		err := DeadOnArrival(exchange.Token{Life: token.Life{ExpiresAt: at("12:00:00")}}, at(now))
		if (err != nil) != want {
			t.Errorf("at %s: got %v", now, err)
		}
	}
	if err := DeadOnArrival(exchange.Token{}, at("12:00:00")); err != nil {
		t.Errorf("what does not expire: got %v", err)
	}
}

// The record is of what the object asks for, from client Secret c/7; the last attempt failed with it.
func TestClientSecretIsComparedWhereItsVersionChanged(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given      func(*State)
		want       Comparisons
		difference Difference
	}{
		"nothing changed": {func(*State) {}, Comparisons{}, Same},
		"another version": {func(s *State) { s.Client.Version = "c/8" }, Comparisons{true, true}, Same},
		"another spec":    {func(s *State) { s.Desired.SpecHash = "new" }, Comparisons{}, Different},
		"another list to update": {func(s *State) {
			s.Desired.SpecHash = "new"
			s.Desired.SpecHashWithoutUpdatable = "rest"
			s.Current.Persisted.SpecHashWithoutUpdatable = "rest"
		}, Comparisons{WithToken: true}, Same},
		"another generation":       {func(s *State) { s.Client.Version = "c/8"; s.Object.Generation = 4 }, Comparisons{WithToken: true}, Same},
		"no token":                 {func(s *State) { missing(s); s.Client.Version = "c/8" }, Comparisons{WithAttempt: true}, Same},
		"no attempt, but versions": {func(s *State) { s.Object.Status.LastAttempt = nil; s.Client.Version = "c/8" }, Comparisons{WithToken: true}, Same},
	} {
		s := compared()
		failed(s, "CredentialsRejected", "")
		tc.given(s)
		got := ComparisonsOf(s, &ClientComparison{Attempt: "print"})
		if diff := cmp.Diff(tc.want, got); diff != "" || s.Difference != tc.difference || got.Any() != (tc.want != Comparisons{}) {
			t.Errorf("%s: difference %d, -want +got:\n%s", name, s.Difference, diff)
		}
	}
	s := compared()
	failed(s, "CredentialsRejected", "")
	s.Client.Version = "c/8"
	if got := ComparisonsOf(s, &ClientComparison{}); got.WithAttempt {
		t.Error("an attempt of another process is compared")
	}
}

func TestComparisonTellsTheState(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		compared   Comparisons
		attempt    string
		difference Difference
		unchanged  bool
	}{
		"both":             {Comparisons{true, true}, "print", UpdatableOnly, true},
		"with the token":   {Comparisons{WithToken: true}, "print", Different, false},
		"with the attempt": {Comparisons{WithAttempt: true}, "print", Different, true},
		"another attempt":  {Comparisons{WithAttempt: true}, "other", Different, false},
	} {
		s := steady()
		s.Difference = Different
		seen := &ClientComparison{Request: "print", Attempt: tc.attempt, Difference: UpdatableOnly}
		seen.Apply(s, tc.compared)
		if tc.compared.WithToken {
			tc.difference = UpdatableOnly
		}
		if s.Difference != tc.difference || s.AttemptUnchanged != tc.unchanged {
			t.Errorf("%s: difference %d, unchanged %t", name, s.Difference, s.AttemptUnchanged)
		}
	}
}

func TestClientSecretLagsBehindTheLastAttempt(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given func(*State)
		want  bool
	}{
		"the same version": {func(*State) {}, false},
		"an older one":     {func(s *State) { s.Client.Version = "c/6" }, true},
		"a newer one":      {func(s *State) { s.Client.Version = "c/8" }, false},
		"another spec":     {func(s *State) { s.Client.Version = "c/6"; s.Desired.SpecHash = "new" }, false},
		"no attempt":       {func(s *State) { s.Client.Version = "c/6"; s.Object.Status.LastAttempt = nil }, false},
	} {
		s := steady()
		failed(s, "CredentialsRejected", "")
		tc.given(s)
		if got := ClientLags(s); got != tc.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

func TestRewriteBesideAnExchangeThatWaits(t *testing.T) {
	t.Parallel()
	refused, other := &Failure{Reason: "TargetWriteRefused", WriteRefused: true}, &Failure{Reason: "BudgetExceeded"}
	for name, tc := range map[string]struct {
		result Result
		plan   Plan
		want   Result
	}{
		"written":                             {Result{Wrote: true}, Plan{Wait: Wait{Waiting: true, At: at("11:20:00")}}, Result{Wrote: true, Waiting: true, At: at("11:20:00")}},
		"written, and the budget is spent":    {Result{Wrote: true}, Plan{Failure: other}, Result{Wrote: true, Failure: other}},
		"refused":                             {Result{Failure: refused}, Plan{Wait: Wait{Waiting: true}}, Result{Failure: refused}},
		"refused, while a failure is waited":  {Result{Failure: refused}, Plan{Keep: true, Wait: Wait{At: at("11:20:00")}}, Result{Unwritable: true, At: at("11:20:00")}},
		"failed, while a failure is waited":   {Result{Failure: other}, Plan{Keep: true}, Result{Failure: other}},
		"waiting itself, sooner than planned": {Result{Waiting: true, At: at("11:19:00")}, Plan{Wait: Wait{At: at("11:20:00")}}, Result{Waiting: true, At: at("11:19:00")}},
	} {
		if diff := cmp.Diff(tc.want, tc.result.WhileWaiting(tc.plan)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

func TestCacheRemembersWhatWasDone(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		plan          Plan
		result        Result
		weight        int
		stillUnserved bool
	}{
		"a repair":                  {Plan{Repair: 2}, Result{Wrote: true}, 2, false},
		"a repair that was refused": {Plan{Repair: 2}, Result{}, 0, false},
		"no repair":                 {Plan{}, Result{Wrote: true}, 0, false},
		"waiting":                   {Plan{}, Result{Waiting: true}, 0, true},
	} {
		s := steady()
		s.Target.Persisted.Keys, s.Target.ForeignKeys = []string{"token"}, "password/token"
		cache := &ObjectCache{APIFailure: APIFailure{Failures: 3}}
		cache.Acted(s, tc.plan, tc.result)
		if cache.Target.Repairs.Quick.Weight != tc.weight || (cache.APIFailure.Failures == 3) != tc.stillUnserved || cache.Stale.SharedTarget != "etl-token" {
			t.Errorf("%s: remembered %+v", name, cache)
		}
	}
}

func TestStateAtAnotherTimeOrWithAnotherStatusIsACopy(t *testing.T) {
	t.Parallel()
	s := steady()
	later := s.At(at("11:20:00"))
	told := s.WithStatus(v1alpha1.CDPCredentialStatus{TargetName: "a"}, v1alpha1.CDPCredentialStatus{TargetName: "b"})
	if !later.Now.Equal(at("11:20:00")) || told.Object.Status.TargetName != "a" || told.SavedStatus.TargetName != "b" {
		t.Errorf("got %+v, %+v", later, told)
	}
	if !s.Now.Equal(at("11:17:43")) || s.Object.Status.TargetName != "" || s.SavedStatus.TargetName != "" || told.Now.Sub(s.Now) != 0*time.Second {
		t.Errorf("the state has changed: %+v", s)
	}
}
