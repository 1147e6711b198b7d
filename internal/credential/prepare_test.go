// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// readClientSecret is a client Secret with values, as it was read from the API server.
func readClientSecret(s *State) {
	s.Client.Content = &corev1.Secret{Data: map[string][]byte{
		"client-id": []byte("etl"), "client-secret": []byte("s3cret"), "tenant-hash": []byte("etl"), "oauth-key-secret": []byte("s3cret"),
	}}
}

// readToken is the current token as it was read from the API server.
func readToken(s *State) {
	s.Target.Persisted.Keys = []string{"token"}
	s.Target.Secret = &corev1.Secret{Data: map[string][]byte{"token": []byte("t0ken")}}
	s.Current = s.Target
}

func granted(s *State) { s.Turn.Granted = true }

func renewalIsDue(s *State) { s.Now = at("11:50:00") }

func resourcesChanged(s *State) { algonomy(s); s.Difference = UpdatableOnly }

// TestNeeds: a plan asks for one thing after the other, cheap ones first, and for nothing that it does not need.
func TestNeeds(t *testing.T) {
	t.Parallel()
	delay := &egress.Delay{Reason: egress.ReasonPaused, For: time.Minute}
	for name, tc := range map[string]struct {
		given  []func(*State)
		action Action
		needs  Need
	}{
		"nothing is due":                        {nil, ActionNone, NeedNothing},
		"a renewal":                             {[]func(*State){renewalIsDue}, ActionIssue, NeedTurn},
		"a renewal whose turn it is":            {[]func(*State){renewalIsDue, granted}, ActionIssue, NeedClient},
		"a renewal that is complete":            {[]func(*State){renewalIsDue, granted, readClientSecret}, ActionIssue, NeedNothing},
		"a renewal that waits at the gate":      {[]func(*State){renewalIsDue, func(s *State) { s.Turn.Delay = delay }}, ActionNone, NeedNothing},
		"basic calls nobody":                    {[]func(*State){basic, func(s *State) { s.Difference = Different }}, ActionIssue, NeedClient},
		"an update":                             {[]func(*State){resourcesChanged}, ActionUpdate, NeedTurn},
		"an update whose turn it is":            {[]func(*State){resourcesChanged, granted}, ActionUpdate, NeedClient},
		"an update with its client Secret":      {[]func(*State){resourcesChanged, granted, readClientSecret}, ActionUpdate, NeedToken},
		"an update that is complete":            {[]func(*State){resourcesChanged, granted, readClientSecret, readToken}, ActionUpdate, NeedNothing},
		"a rewrite":                             {[]func(*State){unlabel}, ActionRewrite, NeedClient},
		"a rewrite with its client Secret":      {[]func(*State){unlabel, readClientSecret}, ActionRewrite, NeedToken},
		"a rewrite that is complete":            {[]func(*State){unlabel, readClientSecret, readToken}, ActionRewrite, NeedNothing},
		"a rewrite, and there were many":        {[]func(*State){unlabel, func(s *State) { s.RewriteAt = at("11:17:50") }}, ActionNone, NeedNothing},
		"a token in the hand":                   {[]func(*State){missing, inHand}, ActionIssue, NeedClient},
		"a token in the hand, complete":         {[]func(*State){missing, readClientSecret, inHand}, ActionIssue, NeedNothing},
		"a 429 that is waited out":              {[]func(*State){renewalIsDue, throttledUntil("11:55:00")}, ActionIssue, NeedClient},
		"a 429 of another spec":                 {[]func(*State){renewalIsDue, throttledUntil("11:55:00"), func(s *State) { s.Throttled.SpecHash = "else" }}, ActionIssue, NeedTurn},
		"a 429 that was waited out":             {[]func(*State){renewalIsDue, throttledUntil("11:50:00")}, ActionIssue, NeedTurn},
		"a 429 of the same request":             {[]func(*State){renewalIsDue, readClientSecret, throttledUntil("11:55:00")}, ActionNone, NeedNothing},
		"a 429 of another client":               {[]func(*State){renewalIsDue, throttledUntil("11:55:00"), readClientSecret}, ActionIssue, NeedTurn},
		"in a namespace that is being deleted":  {[]func(*State){renewalIsDue, func(s *State) { s.Terminating = true }}, ActionNone, NeedNothing},
		"a client Secret that lacks a value":    {[]func(*State){renewalIsDue, granted, func(s *State) { s.Client.Content = &corev1.Secret{} }}, ActionNone, NeedNothing},
		"a rewrite, and the Secret lacks a key": {[]func(*State){unlabel, func(s *State) { s.Client.Content = &corev1.Secret{} }}, ActionNone, NeedNothing},
	} {
		s := steady()
		for _, given := range tc.given {
			given(s)
		}
		if plan := Decide(s); plan.Action != tc.action || plan.Needs != tc.needs {
			t.Errorf("%s: the plan is to do %d and needs %d, want %d and %d; failure %+v", name, plan.Action, plan.Needs, tc.action, tc.needs, plan.Failure)
		}
	}
}

// inHand is a token that was issued for the client Secret of readClientSecret.
func inHand(s *State) {
	read := *s
	readClientSecret(&read)
	req, err := read.Desired.Request(read.Client.Content)
	if err != nil {
		panic(err)
	}
	s.Pending = &Publication{Request: req}
	rec := &s.Pending.Persisted
	rec.SpecHash, rec.IssuedAt, rec.ExpiresAt = s.Desired.SpecHash, at("11:17:40"), at("12:17:40")
}

// throttledUntil is a 429 that the request of the client Secret got, or another one if that was not read.
func throttledUntil(clock string) func(*State) {
	return func(s *State) {
		s.Throttled = &ThrottledAttempt{SpecHash: s.Desired.SpecHash, Request: "another", Failure: Failure{Reason: "Throttled", RetryAt: at(clock)}}
		if s.Client.Content == nil {
			return
		}
		req, err := s.Desired.Request(s.Client.Content)
		if err != nil {
			panic(err)
		}
		s.Throttled.Request = req.Fingerprint(s.Salt)
	}
}

// TestPlanCarriesTheRequest: what is sent is in the plan, the endpoint's clock and the token that is to be changed included.
func TestPlanCarriesTheRequest(t *testing.T) {
	t.Parallel()
	s := steady()
	for _, given := range []func(*State){resourcesChanged, granted, readClientSecret, readToken} {
		given(s)
	}
	var m ObjectCache
	m.Token.Assertions.Offset = 90 * time.Second
	m.Recall(s)
	req := Decide(s).Request
	if req.ClockOffset != 90*time.Second {
		t.Errorf("the assertion is made by a clock that is %s off", req.ClockOffset)
	}
	if req.CurrentToken != "t0ken" {
		t.Errorf("the token to be changed is %q", string(req.CurrentToken))
	}
	if secret := req.Values["oauthKeySecret"]; secret != "s3cret" {
		t.Errorf("the client's secret is %q", string(secret))
	}
}

// TestRewriteCarriesTheToken: a rewrite publishes the token that was read.
func TestRewriteCarriesTheToken(t *testing.T) {
	t.Parallel()
	s := steady()
	for _, given := range []func(*State){unlabel, readClientSecret, readToken} {
		given(s)
	}
	if p := Decide(s).Publish; p == nil || p.Token.Value != "t0ken" || !p.Repeated {
		t.Errorf("it publishes %+v", p)
	}
}

// TestPendingToken: a token in the hand is written once that is possible, and dropped when it is not what is asked for any more.
func TestPendingToken(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given func(*State)
		kept  bool
	}{
		"nothing was read":        {func(s *State) { s.Client.Content = nil }, true},
		"still asked for":         {func(*State) {}, true},
		"another spec":            {func(s *State) { s.Desired.SpecHash = "else" }, false},
		"another client":          {func(s *State) { s.Client.Content.Data["client-id"] = []byte("web") }, false},
		"it has expired":          {func(s *State) { s.Now = at("12:17:40") }, false},
		"a value is missing":      {func(s *State) { s.Client.Content.Data = nil }, true},
		"the target has it":       {func(s *State) { s.Target = steady().Target; s.Target.Persisted.IssuedAt = at("11:17:40") }, false},
		"the target has an older": {func(s *State) { s.Target = steady().Target }, true},
		"the target has a newer":  {func(s *State) { s.Target = steady().Target; s.Target.Persisted.IssuedAt = at("11:17:41") }, false},
		"the target was overwritten": {func(s *State) {
			s.Target = steady().Target
			s.Target.Persisted.IssuedAt, s.Target.Content = at("11:17:41"), ContentReplaced
		}, true},
	} {
		s := steady()
		missing(s)
		readClientSecret(s)
		inHand(s)
		var m ObjectCache
		m.Token.Pending, s.Pending = s.Pending, nil
		tc.given(s)
		m.Recall(s)
		if kept := s.Pending != nil; kept != tc.kept || kept != (m.Token.Pending != nil) {
			t.Errorf("%s: kept %t, want %t", name, kept, tc.kept)
		}
	}
}

// TestDeadOnArrival: a token must live when its answer is complete.
func TestDeadOnArrival(t *testing.T) {
	t.Parallel()
	for clock, dead := range map[string]bool{"": false, "11:17:44": false, "11:17:43": true, "11:17:42": true} {
		got := exchange.Token{}
		got.Life.ExpiresAt = timeOf(clock)
		if err := DeadOnArrival(got, at("11:17:43")); (err != nil) != dead {
			t.Errorf("%q: %v", clock, err)
		}
	}
}

// TestRewritesAreCounted: five in ten seconds, and then not before these are over. Another clock is no reason for a second one in that time.
func TestRewritesAreCounted(t *testing.T) {
	t.Parallel()
	var m TargetMemory
	wait := func(clock string, given ...func(*State)) string {
		s := steady()
		s.Now = at(clock)
		for _, change := range given {
			change(s)
		}
		return clockText(m.rewriteAt(s))
	}
	anotherClock := func(s *State) { s.ClockAhead = 35 * time.Minute }
	if got := wait("11:10:00", anotherClock); got != "" {
		t.Errorf("the first has to wait until %s", got)
	}
	for i, clock := range []string{"11:10:00", "11:10:01", "11:10:02", "11:10:03", "11:10:04"} {
		if got := wait(clock); got != "" {
			t.Errorf("number %d has to wait until %s", i+1, got)
		}
		m.CountRewrite(at(clock))
		if got := wait(clock, anotherClock); got != "11:10:10" {
			t.Errorf("after number %d one for another clock may be at %q", i+1, got)
		}
	}
	for clock, want := range map[string]string{"11:10:05": "11:10:10", "11:10:09": "11:10:10", "11:10:10": "", "11:09:00": ""} {
		if got := wait(clock); got != want {
			t.Errorf("at %s the next may be at %q, want %q", clock, got, want)
		}
	}
	m.CountRewrite(at("11:10:10"))
	if got := wait("11:10:11"); got != "" {
		t.Errorf("the count does not begin anew: %s", got)
	}
}
