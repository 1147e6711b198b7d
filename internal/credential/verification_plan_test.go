// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// verifying is a steady object whose token is to be verified every ten minutes, at a host that its client Secret allows.
func verifying() *State {
	s := steady()
	s.Object.Spec.Verify = &v1alpha1.Verify{URL: "https://api.example.com/me", Interval: &metav1.Duration{Duration: 10 * time.Minute}}
	s.Client.AllowedHosts = "auth.example.com, api.example.com"
	return s
}

func half() float64 { return 0.5 }

// It is 11:17:43, and the process has just begun.
func TestVerificationIsPlanned(t *testing.T) {
	t.Parallel()
	verified := func(s *State) {
		s.Object.Status.TargetVersion = "t/9"
		s.Object.Status.Conditions = []metav1.Condition{{Type: "Verified", Status: "True", Reason: "Verified", ObservedGeneration: 3}}
	}
	for name, tc := range map[string]struct {
		given func(*State)
		wrote bool
		try   bool
		known string // its reason
		at    string
	}{
		"for the first time":          {func(*State) {}, false, true, "", ""},
		"not asked for":               {func(s *State) { s.Object.Spec.Verify = nil }, false, false, "", ""},
		"the target was just written": {func(*State) {}, true, false, "", "11:17:43"},
		"verified by another process": {verified, false, false, "", "11:22:43"},
		"an URL that is none":         {func(s *State) { s.Object.Spec.Verify.URL = "http://x" }, false, false, "HostNotAllowed", ""},
		"no client Secret":            {func(s *State) { s.Client.Found = false }, false, false, "", ""},
		"a host that is not allowed":  {func(s *State) { s.Client.AllowedHosts = "auth.example.com" }, false, false, "HostNotAllowed", ""},
	} {
		s, m := verifying(), &VerificationMemory{}
		tc.given(s)
		plan := m.Plan(s, tc.wrote, half)
		known := ""
		if plan.Known != nil {
			known = plan.Known.Reason
		}
		if plan.Try != tc.try || known != tc.known || clockText(plan.At) != tc.at || plan.Try && plan.Endpoint.String() != "api.example.com:443" {
			t.Errorf("%s: got %+v", name, plan)
		}
	}
}

func TestVerificationIsRepeatedAfterItsIntervalOrAChange(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		tried *Verification
		given func(*State)
		at    string // when to come back after the try
		again bool   // a minute later
	}{
		"accepted":                       {&Verification{Status: "True"}, func(*State) {}, "11:27:43", false},
		"accepted, the interval is over": {&Verification{Status: "True"}, func(s *State) { s.Now = at("11:27:43") }, "11:27:43", true},
		"accepted, almost over":          {&Verification{Status: "True"}, func(s *State) { s.Now = at("11:27:42.999") }, "11:27:43", false},
		"refused":                        {nil, func(*State) {}, "11:17:43", false},
		"another token":                  {&Verification{Status: "True"}, func(s *State) { s.Target.Persisted.TokenMAC = "new"; s.Current = s.Target }, "11:27:43", true},
		"another address":                {&Verification{Status: "True"}, func(s *State) { s.Object.Spec.Verify.URL += "/x" }, "11:27:43", true},
		"another interval":               {&Verification{Status: "True"}, func(s *State) { s.Object.Spec.Verify.Interval.Duration = time.Hour }, "11:27:43", true},
		"another CA":                     {&Verification{Status: "True"}, func(s *State) { s.Desired.CAKey = "my-ca" }, "11:27:43", true},
		"another client Secret":          {&Verification{Status: "True"}, func(s *State) { s.Client.Version = "c/8" }, "11:27:43", false},
		"bad CA":                         {&Verification{Distrusts: true}, func(*State) {}, "11:27:43", false},
		"bad CA, another client Secret":  {&Verification{Distrusts: true}, func(s *State) { s.Client.Version = "c/8" }, "11:27:43", true},
		"a token that just rotated":      {&Verification{Unsettled: true}, func(*State) {}, "11:19:00", false},
	} {
		s, m := verifying(), &VerificationMemory{}
		living(s, "11:17:00", "12:00:00")
		plan := m.Plan(s, false, half)
		if got := clockText(m.Tried(s, plan, tc.tried, s.Now)); got != tc.at {
			t.Errorf("%s: comes back at %s", name, got)
		}
		s.Now = at("11:18:43")
		tc.given(s)
		if plan := m.Plan(s, false, half); plan.Try != tc.again || !plan.Try && !plan.At.Equal(m.VerifyAt) {
			t.Errorf("%s: got %+v", name, plan)
		}
	}
}

func TestVerificationIsMadeAnewOnceAHostIsAllowedAgain(t *testing.T) {
	t.Parallel()
	s, m := verifying(), &VerificationMemory{}
	m.Tried(s, m.Plan(s, false, half), &Verification{Status: "True"}, s.Now)
	s.Client.AllowedHosts = "auth.example.com"
	m.Plan(s, false, half)
	s.Client.AllowedHosts = "*.example.com"
	if plan := m.Plan(s, false, half); !plan.Try {
		t.Errorf("got %+v", plan)
	}
}

func TestVerificationHeadersOrWhyThereAreNone(t *testing.T) {
	t.Parallel()
	type instead struct {
		reason               string
		undecided, distrusts bool
	}
	for name, tc := range map[string]struct {
		given func(*State)
		want  *instead
	}{
		"all is well":               {func(*State) {}, nil},
		"the Secret was not read":   {func(s *State) { s.Client.Content = nil }, &instead{undecided: true}},
		"its CA is bad":             {func(s *State) { s.Client.Content.Data["ca.crt"] = []byte("x") }, &instead{reason: "SecretKeyInvalid", distrusts: true}},
		"a blocker":                 {func(s *State) { s.Target.Unusable = "is immutable" }, &instead{undecided: true}},
		"a key is missing":          {func(s *State) { delete(s.Client.Content.Data, "client-secret") }, &instead{undecided: true}},
		"the token is gone":         {func(s *State) { s.Target.Persisted = nil }, &instead{undecided: true}},
		"a host that was forbidden": {func(s *State) { s.Client.AllowedHosts = "auth.example.com" }, &instead{reason: "HostNotAllowed"}},
	} {
		s := verifying()
		s.Client.Content = clientSecret(map[string]string{"client-id": "id", "client-secret": "secret"})
		s.Target.Persisted.Keys = []string{"token"}
		s.Target.Secret = &corev1.Secret{Data: map[string][]byte{"token": []byte("t0ken")}}
		s.Current = s.Target
		endpoint, err := egress.EndpointOf("https://api.example.com/me")
		if err != nil {
			t.Fatal(err)
		}
		tc.given(s)
		headers, got := VerificationHeaders(s, endpoint)
		if tc.want == nil {
			if got != nil || headers["Authorization"] != "Bearer t0ken" {
				t.Errorf("%s: got %v, %+v", name, headers, got)
			}
			continue
		}
		if got == nil || headers != nil || *tc.want != (instead{got.Reason, got.Undecided, got.Distrusts}) {
			t.Errorf("%s: got %v, %+v", name, headers, got)
		}
	}
}

func TestVerificationTellsTheGateWhatItSaw(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		got  exchange.VerifyResult
		want egress.Result
	}{
		"accepted": {exchange.VerifyResult{Verdict: exchange.Accepted}, egress.Result{Kind: egress.Served}},
		"refused":  {exchange.VerifyResult{Verdict: exchange.Unauthorized, Err: &exchange.Error{Kind: exchange.Rejected, Status: 401}}, egress.Result{Kind: egress.Refused}},
		"not sent": {exchange.VerifyResult{Err: &exchange.Error{Kind: exchange.Unavailable, Cause: &egress.RefusedError{}}}, egress.Result{Kind: egress.Cancelled}},
	} {
		if diff := cmp.Diff(tc.want, VerificationGateResult(tc.got, false)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}
