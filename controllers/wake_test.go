package controllers

import (
	"testing"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// TestWake: for what is to be tried next, and at the very moment of expiry, at which Ready turns False. 0s means when something changes.
func TestWake(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		given  func(*view)
		err    error
		verify string
		want   string
	}{
		"all is well: the renewal, exactly":        {func(*view) {}, nil, "", "24m16.978638707s"},
		"a nanosecond before it":                   {func(v *view) { v.now = at("11:41:59.978638706") }, nil, "", "1ms"},
		"a millisecond and a half before it":       {func(v *view) { v.now = at("11:41:59.977138707") }, nil, "", "1.5ms"},
		"basic":                                    {basic, nil, "", "0s"},
		"rewritten":                                {unlabel, nil, "", "24m16.978638707s"},
		"a verification before the renewal":        {func(*view) {}, nil, "11:20:00", "2m17s"},
		"a verification after the renewal":         {func(*view) {}, nil, "11:59:00", "24m16.978638707s"},
		"a verification that is due":               {func(*view) {}, nil, "11:17:43", "1ms"},
		"basic, with a verification":               {basic, nil, "11:20:00", "2m17s"},
		"suspended: the expiry":                    {suspended, nil, "", "42m17s"},
		"suspended, a nanosecond before":           {func(v *view) { suspended(v); v.now = at("11:59:59.999999999") }, nil, "", "1ms"},
		"suspended, expired":                       {func(v *view) { suspended(v); v.now = at("12:00:00") }, nil, "", "0s"},
		"suspended, past the renewal":              {func(v *view) { suspended(v); v.now = at("11:50:00") }, nil, "", "10m0s"},
		"suspended, a retry kept":                  {func(v *view) { suspended(v); failed(v, "EndpointUnavailable", "11:20:00") }, nil, "", "42m17s"},
		"suspended, a retry kept that has passed":  {func(v *view) { suspended(v); failed(v, "EndpointUnavailable", "11:10:00") }, nil, "", "42m17s"},
		"suspended, told to wait":                  {func(v *view) { suspended(v); failed(v, "Throttled", "11:20:00") }, nil, "", "2m17s"},
		"suspended, told to wait until now":        {func(v *view) { suspended(v); failed(v, "Throttled", "11:17:43") }, nil, "", "42m17s"},
		"suspended, no token":                      {func(v *view) { suspended(v); missing(v) }, nil, "", "0s"},
		"refused, no token":                        {missing, rejected(), "", "15m0s"},
		"refused, ten minutes left":                {func(v *view) { v.now = at("11:50:00") }, rejected(), "", "2m30s"},
		"refused, 42 minutes left":                 {func(v *view) { v.difference = different }, rejected(), "", "10m35s"},
		"refused, the token expires before":        {func(v *view) { v.now = at("11:59:55") }, rejected(), "", "5s"},
		"outage: rounded up, as status has it":     {func(v *view) { missing(v); v.now = at("11:17:43.25") }, unavailable(), "", "10.75s"},
		"outage, expired":                          {func(v *view) { v.now = at("12:00:00") }, unavailable(), "", "10s"},
		"throttled for a day, no token":            {missing, &exchange.Error{Kind: exchange.Throttled, RetryAfter: 24 * time.Hour, HasRetryAfter: true}, "", "24h0m0s"},
		"key missing, no token":                    {missing, &missingKeyError{}, "", "0s"},
		"key missing, a token is held":             {func(v *view) { v.now = at("11:50:00") }, &missingKeyError{}, "", "10m0s"},
		"no client Secret: the expiry":             {func(v *view) { v.client = clientView{} }, nil, "", "42m17s"},
		"no client Secret, past the renewal":       {func(v *view) { v.client = clientView{}; v.now = at("11:50:00") }, nil, "", "10m0s"},
		"no client Secret, no token":               {func(v *view) { v.client = clientView{}; missing(v) }, nil, "", "0s"},
		"no client Secret, token edited":           {func(v *view) { v.client = clientView{}; holding(replacedContent)(v) }, nil, "", "0s"},
		"foreign target":                           {foreign, nil, "", "0s"},
		"budget: the next day":                     {func(v *view) { missing(v); budget(v, 1, 1) }, nil, "", "12h42m17s"},
		"budget, the token expires before":         {func(v *view) { v.difference = different; budget(v, 1, 1) }, nil, "", "42m17s"},
		"waited out: until then":                   {func(v *view) { missing(v); failed(v, "CredentialsRejected", "11:30:00") }, nil, "", "12m17s"},
		"waited out, past the renewal":             {func(v *view) { v.now = at("11:50:00"); failed(v, "CredentialsRejected", "11:55:00") }, nil, "", "5m0s"},
		"waited out, the expiry before":            {func(v *view) { v.now = at("11:50:00"); failed(v, "CredentialsRejected", "12:55:00") }, nil, "", "10m0s"},
		"waited out, expired":                      {func(v *view) { v.now = at("12:00:00"); failed(v, "CredentialsRejected", "12:55:00") }, nil, "", "55m0s"},
		"waited out until a change":                {func(v *view) { missing(v); failed(v, "SecretKeyMissing", "") }, nil, "", "0s"},
		"waited out until a change, expiry before": {func(v *view) { v.now = at("11:50:00"); failed(v, "SecretKeyMissing", "") }, nil, "", "10m0s"},
		"waited out, rewritten":                    {func(v *view) { v.now = at("11:50:00"); failed(v, "CredentialsRejected", "11:55:00"); unlabel(v) }, nil, "", "5m0s"},
		"the minimum interval":                     {func(v *view) { missing(v); v.obj.Status.LastRefreshTime = second("11:17:40") }, nil, "", "8s"},
		"the minimum interval, rewritten":          {func(v *view) { request(v, "today"); v.held.rec.IssuedAt = at("11:17:40"); unlabel(v) }, nil, "", "7s"},
		"the minimum interval, past the renewal":   {func(v *view) { living(v, "11:17:35", "11:17:47") }, nil, "", "2s"},
		"the minimum interval, the expiry before":  {func(v *view) { living(v, "11:17:38", "11:17:44") }, nil, "", "1s"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := steady()
			tc.given(v)
			s, out, status := pass(t, v, tc.err)
			verifyAt := time.Time{}
			if tc.verify != "" {
				verifyAt = at(tc.verify)
			}
			if got := wake(v, s, out, verifyAt, &status).String(); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

// TestWakeAtTheGate: when the gate says, or when the token expires.
func TestWakeAtTheGate(t *testing.T) {
	t.Parallel()
	for now, want := range map[string]string{
		"11:50:00":   "3s",
		"11:59:58":   "2s",
		"12:00:00":   "3s",
		"12:00:00.5": "3s",
	} {
		v := steady()
		v.now = at(now)
		v.obj.Status = report(v, step{}, outcome{}, nil)
		out := outcome{waiting: true, at: v.now.Add(3 * time.Second)}
		status := report(v, plan(v), out, nil)
		if got := wake(v, plan(v), out, time.Time{}, &status).String(); got != want {
			t.Errorf("%s: got %s, want %s", now, got, want)
		}
	}
}

// TestWakeIsNoLoop: a pass that has nothing to do is followed by none before there is something to do or to tell.
func TestWakeIsNoLoop(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*view){
		"all is well":             func(*view) {},
		"refused":                 func(v *view) { failed(v, "CredentialsRejected", "11:55:00") },
		"refused, long":           func(v *view) { failed(v, "CredentialsRejected", "12:55:00") },
		"until a change":          func(v *view) { failed(v, "SecretKeyMissing", "") },
		"client Secret missing":   func(v *view) { v.client = clientView{} },
		"suspended":               suspended,
		"suspended in an outage":  func(v *view) { suspended(v); failed(v, "EndpointUnavailable", "11:20:00") },
		"foreign":                 foreign,
		"budget":                  func(v *view) { budget(v, 1, 1) },
		"minimum interval":        func(v *view) { living(v, "11:17:43", "11:17:45") },
		"minimum interval, drift": func(v *view) { unlabel(v); living(v, "11:17:43", "11:17:45") },
		"clock set back":          func(v *view) { v.obj.Status.LastRefreshTime = second("13:00:00"); v.held.rec.IssuedAt = at("13:00:00") },
	}
	for name, given := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := steady()
			given(v)
			passes, end := 0, v.now.Add(12*time.Hour)
			for v.now.Before(end) {
				s := plan(v)
				if s.action == issue {
					break
				}
				passes++
				s, out, status := pass(t, v, nil)
				if s.action == rewrite {
					v.target.meta.Labels["app.kubernetes.io/managed-by"] = "cdp-credential-operator"
				}
				v.obj.Status = status
				after := wake(v, s, out, time.Time{}, &status)
				if after < 0 {
					t.Fatalf("%s: wake gives %s", v.now, after)
				}
				if after == 0 {
					break
				}
				v.now = v.now.Add(after)
			}
			if passes > 4 {
				t.Errorf("%d passes, until %s", passes, v.now)
			}
		})
	}
}
