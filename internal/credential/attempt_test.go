// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// attempted is an attempt of a steady object that remembers nothing yet, and the request that it made. The current token is from the same request.
func attempted(s *State) (*Attempt, exchange.Request) {
	req := exchange.Request{Flow: s.Desired.Flow, Values: exchange.Values{"clientID": "id", "clientSecret": "secret"}}
	describeRequest(s.Current.Persisted, s, req)
	s.Current.Persisted.Keys = []string{"token"}
	return &Attempt{Cache: &ObjectCache{}, Jitter: func() float64 { return 0 }}, req
}

func TestRepeatedTokenIsWrittenOnlyWithNews(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		cause    Cause
		given    func(*State)
		written  bool
		asCause  Cause
		repeated bool
		waits    time.Time
		status   bool // the state says that the endpoint repeats
	}{
		"a renewal":                      {CauseRenewal, func(*State) {}, false, "", true, time.Time{}, true},
		"a renewal, the token has ended": {CauseRenewal, func(s *State) { s.Now = at("12:00:00") }, false, "", false, at("12:00:01"), false},
		"requested":                      {CauseRequested, func(*State) {}, false, "", true, time.Time{}, false},
		"another spec":                   {CauseChanged, func(s *State) { s.Desired.SpecHash = "new" }, true, "Missing", false, time.Time{}, false},
		"other values":                   {CauseChanged, func(s *State) { s.Current.Persisted.RequestHash = "old" }, true, "Missing", false, time.Time{}, false},
		"the API refused it":             {CauseRejected, func(*State) {}, true, "Rejected", false, time.Time{}, false},
		"somebody edited the target":     {CauseRequested, holding(editedContent), true, "Missing", false, time.Time{}, false},
	} {
		s := steady()
		s.Object.Annotations = map[string]string{"cdpcredentials.io/refresh-requested-at": "today"}
		a, req := attempted(s)
		a.Cache.Token.Throttled = &ThrottledAttempt{}
		tc.given(s)
		p, result := a.SameToken(s, Plan{Action: ActionIssue, Cause: tc.cause, Request: req}, exchange.Token{Value: "t0ken"})
		if (p != nil) != tc.written || result.Repeated != tc.repeated || !result.At.Equal(tc.waits) || result.Waiting != !tc.waits.IsZero() {
			t.Errorf("%s: got %+v, %+v", name, p, result)
		}
		if p != nil {
			got := p.Persisted
			if got.Cause != tc.asCause || got.HandledRequest != "today" || got.SpecHash != s.Desired.SpecHash || compareRequests(&got, req) != Same || string(p.Token.Value) != "t0ken" || !p.Repeated {
				t.Errorf("%s: it would write %+v", name, p)
			}
			if diff := cmp.Diff(&v1alpha1.Issuance{Day: "2026-03-01", Count: 1}, got.Issuance); diff != "" {
				t.Errorf("%s: issuance: -want +got:\n%s", name, diff)
			}
		}
		if s.Repeated != tc.status || !a.Cache.Token.RepeatedAt.Equal(s.Now) || a.Cache.Token.Throttled != nil || a.Cache.Token.Issuance.Count != 1 {
			t.Errorf("%s: repeats: %t, remembered: %+v", name, s.Repeated, a.Cache.Token)
		}
	}
}

// An endpoint may repeat a token for a moment after its end; the fourth time in a row is a failure, and the count begins anew.
func TestEndedTokenIsAFailureTheFourthTime(t *testing.T) {
	t.Parallel()
	s := steady()
	a, req := attempted(s)
	s.Now = at("12:00:05")
	var got []string
	for range 5 {
		_, result := a.SameToken(s, Plan{Action: ActionIssue, Cause: CauseRenewal, Request: req}, exchange.Token{Value: "t0ken"})
		switch {
		case result.Failure != nil:
			got = append(got, result.Failure.Reason)
		default:
			got = append(got, clockText(result.At))
		}
	}
	if diff := cmp.Diff([]string{"12:00:06", "12:00:06", "12:00:06", "MalformedResponse", "12:00:06"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if a.Cache.Client.SpecHash != s.Desired.SpecHash {
		t.Error("what the failed attempt was made with is not remembered")
	}
}

func TestFailedAttemptRemembersWhatItWasMadeWith(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		failure *Failure
		want    string
	}{
		"an attempt":                 {&Failure{Reason: "Throttled", Attempted: true}, "c/7"},
		"none, as the spec is wrong": {&Failure{Reason: "InvalidSpec"}, ""},
		"nothing to report":          {nil, ""},
	} {
		s := steady()
		a, _ := attempted(s)
		if result := a.Failed(s, tc.failure); result.Failure != tc.failure || a.Cache.Client.Version != tc.want {
			t.Errorf("%s: got %+v, remembered %+v", name, result, a.Cache.Client)
		}
	}
}

func TestRefusedAttempt(t *testing.T) {
	t.Parallel()
	rejected := &exchange.Error{Kind: exchange.Rejected, Status: 400}
	for name, tc := range map[string]struct {
		plan  Plan
		given func(*State)
		err   error
		want  Result // without the message
		fails string
		// updateRefused, counted and throttled are what is remembered.
		updateRefused      string
		counted, throttled bool
	}{
		"a key waits its turn":    {Plan{Action: ActionIssue}, nil, &exchange.KeyWaitError{For: time.Second}, Result{Waiting: true, At: at("11:17:44")}, "", "", false, false},
		"an update is refused":    {Plan{Action: ActionUpdate}, nil, rejected, Result{Waiting: true, At: at("11:17:43")}, "", "seal", false, false},
		"an update is throttled":  {Plan{Action: ActionUpdate}, nil, &exchange.Error{Kind: exchange.Throttled, Status: 429}, Result{}, "Throttled", "", false, true},
		"rejected":                {Plan{Action: ActionIssue}, nil, rejected, Result{}, "CredentialsRejected", "", false, false},
		"throttled":               {Plan{Action: ActionIssue}, nil, &exchange.Error{Kind: exchange.Throttled, Status: 429}, Result{}, "Throttled", "", false, true},
		"issued, but unusable":    {Plan{Action: ActionIssue}, nil, &exchange.Error{Kind: exchange.Malformed, Issued: true}, Result{}, "MalformedResponse", "", true, false},
		"no update counts":        {Plan{Action: ActionUpdate}, nil, &exchange.Error{Kind: exchange.Unavailable, Issued: true}, Result{}, "EndpointUnavailable", "", false, false},
		"a token that just ended": {Plan{Action: ActionIssue, Cause: CauseRenewal}, endsAtNoon, &exchange.Error{Kind: exchange.Malformed, Cause: token.ErrExpired}, Result{Waiting: true, At: at("12:00:01")}, "", "", false, false},
	} {
		s := steady()
		a, req := attempted(s)
		if tc.given != nil {
			tc.given(s)
		}
		tc.plan.Request = req
		got, err := a.Refused(s, tc.plan, tc.err)
		reason := ""
		if got.Failure != nil {
			reason = got.Failure.Reason
			got.Failure = nil
		}
		if diff := cmp.Diff(tc.want, got); diff != "" || err != nil || reason != tc.fails {
			t.Errorf("%s: %s, %v, -want +got:\n%s", name, reason, err, diff)
		}
		m := a.Cache.Token
		if m.UpdateRefused != tc.updateRefused || (m.Issuance != nil) != tc.counted || (m.Throttled != nil) != tc.throttled {
			t.Errorf("%s: remembered %+v", name, m)
		}
	}
	s := steady()
	a, req := attempted(s)
	other := errors.New("no space left")
	if got, err := a.Refused(s, Plan{Action: ActionIssue, Request: req}, other); !errors.Is(err, other) || got.Failure != nil {
		t.Errorf("another error: got %+v, %v", got, err)
	}
}

// endsAtNoon is an object whose endpoint repeats each token until it expires, a moment after that.
func endsAtNoon(s *State) {
	s.Now = at("12:00:00")
	s.Repeated = true
}
