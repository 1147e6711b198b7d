// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"testing"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// TestRequeueAfterEachPlan: for what is to be tried next, and at the very moment of expiry, at which Ready turns False. 0s means when something changes.
func TestRequeueAfterEachPlan(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		given  func(*State)
		err    error
		verify string
		want   string
	}{
		"all is well: the renewal, exactly":        {func(*State) {}, nil, "", "24m16.978638707s"},
		"a nanosecond before it":                   {func(s *State) { s.Now = at("11:41:59.978638706") }, nil, "", "1ms"},
		"a millisecond and a half before it":       {func(s *State) { s.Now = at("11:41:59.977138707") }, nil, "", "1.5ms"},
		"basic":                                    {basic, nil, "", "0s"},
		"rewritten":                                {unlabel, nil, "", "24m16.978638707s"},
		"a verification before the renewal":        {func(*State) {}, nil, "11:20:00", "2m17s"},
		"a verification after the renewal":         {func(*State) {}, nil, "11:59:00", "24m16.978638707s"},
		"a verification that is due":               {func(*State) {}, nil, "11:17:43", "1ms"},
		"basic, with a verification":               {basic, nil, "11:20:00", "2m17s"},
		"suspended: the expiry":                    {suspended, nil, "", "42m17s"},
		"suspended, a nanosecond before":           {func(s *State) { suspended(s); s.Now = at("11:59:59.999999999") }, nil, "", "1ms"},
		"suspended, expired":                       {func(s *State) { suspended(s); s.Now = at("12:00:00") }, nil, "", "0s"},
		"suspended, past the renewal":              {func(s *State) { suspended(s); s.Now = at("11:50:00") }, nil, "", "10m0s"},
		"suspended, a retry kept":                  {func(s *State) { suspended(s); failed(s, "EndpointUnavailable", "11:20:00") }, nil, "", "42m17s"},
		"suspended, a retry kept that has passed":  {func(s *State) { suspended(s); failed(s, "EndpointUnavailable", "11:10:00") }, nil, "", "42m17s"},
		"suspended, told to wait":                  {func(s *State) { suspended(s); failed(s, "Throttled", "11:20:00") }, nil, "", "2m17s"},
		"suspended, told to wait until now":        {func(s *State) { suspended(s); failed(s, "Throttled", "11:17:43") }, nil, "", "42m17s"},
		"suspended, no token":                      {func(s *State) { suspended(s); missing(s) }, nil, "", "0s"},
		"refused, no token":                        {missing, rejected(), "", "15m0s"},
		"refused, ten minutes left":                {func(s *State) { s.Now = at("11:50:00") }, rejected(), "", "2m30s"},
		"refused, 42 minutes left":                 {func(s *State) { s.Difference = Different }, rejected(), "", "10m35s"},
		"refused, the token expires before":        {func(s *State) { s.Now = at("11:59:55") }, rejected(), "", "5s"},
		"outage: rounded up, as status has it":     {func(s *State) { missing(s); s.Now = at("11:17:43.25") }, unavailable(), "", "10.75s"},
		"outage, expired":                          {func(s *State) { s.Now = at("12:00:00") }, unavailable(), "", "10s"},
		"throttled for a day, no token":            {missing, &exchange.Error{Kind: exchange.Throttled, RetryAfter: 24 * time.Hour, HasRetryAfter: true}, "", "24h0m0s"},
		"key missing, no token":                    {missing, &missingKeyError{}, "", "0s"},
		"key missing, a token is held":             {func(s *State) { s.Now = at("11:50:00") }, &missingKeyError{}, "", "10m0s"},
		"no client Secret: the expiry":             {func(s *State) { s.Client = ClientSecret{} }, nil, "", "42m17s"},
		"no client Secret, past the renewal":       {func(s *State) { s.Client = ClientSecret{}; s.Now = at("11:50:00") }, nil, "", "10m0s"},
		"no client Secret, no token":               {func(s *State) { s.Client = ClientSecret{}; missing(s) }, nil, "", "0s"},
		"no client Secret, token edited":           {func(s *State) { s.Client = ClientSecret{}; holding(replacedContent)(s) }, nil, "", "0s"},
		"foreign target":                           {foreign, nil, "", "0s"},
		"budget: the next day":                     {func(s *State) { missing(s); budget(s, 1, 1) }, nil, "", "12h42m17s"},
		"budget, the token expires before":         {func(s *State) { s.Difference = Different; budget(s, 1, 1) }, nil, "", "42m17s"},
		"waited out: until then":                   {func(s *State) { missing(s); failed(s, "CredentialsRejected", "11:30:00") }, nil, "", "12m17s"},
		"waited out, past the renewal":             {func(s *State) { s.Now = at("11:50:00"); failed(s, "CredentialsRejected", "11:55:00") }, nil, "", "5m0s"},
		"waited out, the expiry before":            {func(s *State) { s.Now = at("11:50:00"); failed(s, "CredentialsRejected", "12:55:00") }, nil, "", "10m0s"},
		"waited out, expired":                      {func(s *State) { s.Now = at("12:00:00"); failed(s, "CredentialsRejected", "12:55:00") }, nil, "", "55m0s"},
		"waited out until a change":                {func(s *State) { missing(s); failed(s, "SecretKeyMissing", "") }, nil, "", "0s"},
		"waited out until a change, expiry before": {func(s *State) { s.Now = at("11:50:00"); failed(s, "SecretKeyMissing", "") }, nil, "", "10m0s"},
		"waited out, rewritten":                    {func(s *State) { s.Now = at("11:50:00"); failed(s, "CredentialsRejected", "11:55:00"); unlabel(s) }, nil, "", "5m0s"},
		"the minimum interval":                     {func(s *State) { missing(s); s.Object.Status.LastRefreshTime = second("11:17:40") }, nil, "", "8s"},
		"the minimum interval, rewritten":          {func(s *State) { request(s, "today"); s.Current.Persisted.IssuedAt = at("11:17:40"); unlabel(s) }, nil, "", "7s"},
		"the minimum interval, past the renewal":   {func(s *State) { living(s, "11:17:35", "11:17:47") }, nil, "", "2s"},
		"the minimum interval, the expiry before":  {func(s *State) { living(s, "11:17:38", "11:17:44") }, nil, "", "1s"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := steady()
			tc.given(s)
			plan, result, status := pass(t, s, tc.err)
			verifyAt := time.Time{}
			if tc.verify != "" {
				verifyAt = at(tc.verify)
			}
			if got := RequeueAfter(s, plan, result, verifyAt, &status).String(); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

// TestRequeueAtTheGate: when the gate says, or when the token expires.
func TestRequeueAtTheGate(t *testing.T) {
	t.Parallel()
	for now, want := range map[string]string{
		"11:50:00":   "3s",
		"11:59:58":   "2s",
		"12:00:00":   "3s",
		"12:00:00.5": "3s",
	} {
		s := steady()
		s.Now = at(now)
		s.Object.Status = NewStatus(s, Plan{}, Result{}, nil)
		result := Result{Waiting: true, At: s.Now.Add(3 * time.Second)}
		status := NewStatus(s, Decide(s), result, nil)
		if got := RequeueAfter(s, Decide(s), result, time.Time{}, &status).String(); got != want {
			t.Errorf("%s: got %s, want %s", now, got, want)
		}
	}
}

// TestRequeueIsNoLoop: a pass that has nothing to do is followed by none before there is something to do or to tell.
func TestRequeueIsNoLoop(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*State){
		"all is well":             func(*State) {},
		"refused":                 func(s *State) { failed(s, "CredentialsRejected", "11:55:00") },
		"refused, long":           func(s *State) { failed(s, "CredentialsRejected", "12:55:00") },
		"until a change":          func(s *State) { failed(s, "SecretKeyMissing", "") },
		"client Secret missing":   func(s *State) { s.Client = ClientSecret{} },
		"suspended":               suspended,
		"suspended in an outage":  func(s *State) { suspended(s); failed(s, "EndpointUnavailable", "11:20:00") },
		"foreign":                 foreign,
		"budget":                  func(s *State) { budget(s, 1, 1) },
		"minimum interval":        func(s *State) { living(s, "11:17:43", "11:17:45") },
		"minimum interval, drift": func(s *State) { unlabel(s); living(s, "11:17:43", "11:17:45") },
		"clock set back": func(s *State) {
			s.Object.Status.LastRefreshTime = second("13:00:00")
			s.Current.Persisted.IssuedAt = at("13:00:00")
		},
	}
	for name, given := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := steady()
			given(s)
			passes, end := 0, s.Now.Add(12*time.Hour)
			for s.Now.Before(end) {
				plan := Decide(s)
				if plan.Action == ActionIssue {
					break
				}
				passes++
				plan, result, status := pass(t, s, nil)
				if plan.Action == ActionRewrite {
					s.Target.Metadata.Labels["app.kubernetes.io/managed-by"] = "cdp-credential-operator"
				}
				s.Object.Status = status
				after := RequeueAfter(s, plan, result, time.Time{}, &status)
				if after < 0 {
					t.Fatalf("%s: wake gives %s", s.Now, after)
				}
				if after == 0 {
					break
				}
				s.Now = s.Now.Add(after)
			}
			if passes > 4 {
				t.Errorf("%d passes, until %s", passes, s.Now)
			}
		})
	}
}
