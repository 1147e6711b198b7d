// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// The API's answer comes at 11:17:43, 17 minutes after the token was issued.
func TestVerificationOfEachAnswer(t *testing.T) {
	t.Parallel()
	unauthorized := exchange.VerifyResult{Verdict: exchange.Unauthorized, Err: &exchange.Error{Kind: exchange.Rejected, Status: 401, CorrelationID: "c1"}}
	unanswered := exchange.VerifyResult{Err: &exchange.Error{Kind: exchange.Unavailable, Detail: "it hung up"}}
	type outcome struct {
		status                          metav1.ConditionStatus
		reason, correlation             string
		undecided, unsettled, distrusts bool
	}
	for name, tc := range map[string]struct {
		given    func(*State)
		answer   exchange.VerifyResult
		want     outcome
		rejected bool
	}{
		"accepted":                     {nil, exchange.VerifyResult{Verdict: exchange.Accepted}, outcome{status: "True", reason: "Verified"}, false},
		"forbidden":                    {nil, exchange.VerifyResult{Verdict: exchange.Forbidden, Err: &exchange.Error{Status: 403, CorrelationID: "c1"}}, outcome{status: "False", reason: "InsufficientScope", correlation: "c1"}, false},
		"no answer":                    {nil, unanswered, outcome{status: "Unknown", reason: "EndpointUnavailable"}, false},
		"an answer that says nothing":  {nil, exchange.VerifyResult{Err: &exchange.Error{Kind: exchange.Unavailable, Status: 503}}, outcome{status: "Unknown", reason: "EndpointUnavailable", undecided: true}, false},
		"an address that is not open":  {nil, exchange.VerifyResult{Err: &exchange.Error{Kind: exchange.Unavailable, Status: 0, Cause: &egress.RefusedError{Why: "private"}}}, outcome{status: "Unknown", reason: "EndpointUnavailable"}, false},
		"unauthorized":                 {nil, unauthorized, outcome{}, true},
		"unauthorized, and again":      {func(s *State) { s.Target.Persisted.Cause = CauseRejected }, unauthorized, outcome{status: "False", reason: "TokenRejected", correlation: "c1"}, false},
		"unauthorized, no new token":   {basic, unauthorized, outcome{status: "False", reason: "TokenRejected", correlation: "c1"}, false},
		"unauthorized at the end":      {func(s *State) { living(s, "11:00:00", "11:17:43.5") }, unauthorized, outcome{undecided: true}, false},
		"unauthorized, just rotated":   {func(s *State) { oneActiveAt(s); living(s, "11:15:43.001", "12:00:00") }, unauthorized, outcome{undecided: true, unsettled: true}, false},
		"unauthorized, rotated before": {func(s *State) { oneActiveAt(s); living(s, "11:15:43", "12:00:00") }, unauthorized, outcome{}, true},
	} {
		s := steady()
		if tc.given != nil {
			tc.given(s)
		}
		tried, rejected := VerificationOf(s, tc.answer, s.Now)
		var got outcome
		if tried != nil {
			got = outcome{tried.Status, tried.Reason, tried.Correlation, tried.Undecided, tried.Unsettled, tried.Distrusts}
		}
		if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(outcome{})); diff != "" || rejected != tc.rejected || rejected != (tried == nil) {
			t.Errorf("%s: rejected %t, -want +got:\n%s", name, rejected, diff)
		}
	}
}

func oneActiveAt(s *State) {
	s.Object.Spec.Refresh = &v1alpha1.Refresh{Issuance: v1alpha1.IssuanceOneActive}
}

func TestTokenIsVerifiedOnlyAsWeWroteIt(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given func(*State)
		want  bool
	}{
		"it can":           {func(*State) {}, true},
		"not asked for":    {func(s *State) { s.Object.Spec.Verify = nil }, false},
		"suspended":        {suspended, false},
		"edited":           {holding(editedContent), false},
		"another object's": {func(s *State) { s.Target.Metadata.Annotations["cdpcredentials.io/credential"] = "web" }, false},
		"yet to be moved":  {renamed, false},
		"expired":          {func(s *State) { s.Now = at("12:00:00") }, false},
		"no token":         {missing, false},
	} {
		s := steady()
		s.Object.Spec.Verify = &v1alpha1.Verify{}
		tc.given(s)
		if got := canVerify(s); got != tc.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

func TestVerifyIntervalIsAtLeastASecond(t *testing.T) {
	t.Parallel()
	for given, want := range map[time.Duration]time.Duration{0: 5 * time.Minute, time.Millisecond: time.Second, 2 * time.Second: 2 * time.Second, time.Hour: time.Hour} {
		if got := verifyInterval(&v1alpha1.Verify{Interval: &metav1.Duration{Duration: given}}); got != want {
			t.Errorf("%s: got %s, want %s", given, got, want)
		}
	}
	if got := verifyInterval(&v1alpha1.Verify{}); got != 5*time.Minute {
		t.Errorf("by default: got %s", got)
	}
}

func TestVerifiedBeforeIsOfThisTokenAndSpec(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given func(*State)
		want  bool
	}{
		"verified":            {func(*State) {}, true},
		"never":               {func(s *State) { s.Object.Status.Conditions = nil }, false},
		"of another spec":     {func(s *State) { s.Object.Generation = 4 }, false},
		"of another target":   {func(s *State) { s.Target.Version = "t/10" }, false},
		"not allowed to call": {func(s *State) { s.Object.Status.Conditions[0].Reason = "HostNotAllowed" }, false},
		"no CA to call with":  {func(s *State) { s.Object.Status.Conditions[0].Reason = "SecretKeyInvalid" }, false},
		"no CA there":         {func(s *State) { s.Object.Status.Conditions[0].Reason = "SecretKeyMissing" }, false},
		"it was refused":      {func(s *State) { s.Object.Status.Conditions[0].Reason = "TokenRejected" }, true},
	} {
		s := steady()
		s.Object.Status.TargetVersion = "t/9"
		s.Object.Status.Conditions = []metav1.Condition{{Type: "Verified", Status: "True", Reason: "Verified", ObservedGeneration: 3}}
		tc.given(s)
		if got := verifiedBefore(s); got != tc.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

func TestVerificationGateRequestNamesTheAPI(t *testing.T) {
	t.Parallel()
	endpoint, err := egress.EndpointOf("https://api.example.com/v1/me")
	if err != nil {
		t.Fatal(err)
	}
	s := steady()
	want := egress.Request{Host: "api.example.com:443", Namespace: "marketing", Client: "etl-client", Object: "marketing/etl", Verify: true}
	for _, proven := range []bool{false, true} {
		if want.Proven = proven; proven {
			s.Object.Status.Conditions = []metav1.Condition{{Type: "Verified", Status: "True"}}
		}
		if diff := cmp.Diff(want, VerificationGateRequest(s, endpoint)); diff != "" {
			t.Errorf("proven %t: -want +got:\n%s", proven, diff)
		}
	}
}

func TestVerificationThatWasNotMadeSaysWhy(t *testing.T) {
	t.Parallel()
	f := &Failure{Reason: "HostNotAllowed", Message: "allow it"}
	want := &Verification{Status: "False", Reason: "HostNotAllowed", Message: "spec.verify.url: allow it"}
	if diff := cmp.Diff(want, verificationNotAllowed(f)); diff != "" {
		t.Errorf("not allowed: -want +got:\n%s", diff)
	}
	f = &Failure{Reason: "SecretKeyMissing", Message: "add ca.crt"}
	want = &Verification{Status: "Unknown", Reason: "SecretKeyMissing", Distrusts: true, Message: "spec.verify.url is not called: add ca.crt"}
	if diff := cmp.Diff(want, verificationNotTrusted(f)); diff != "" {
		t.Errorf("not trusted: -want +got:\n%s", diff)
	}
}

func TestBadCAIsLookedForOnlyWithConsent(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given func(*State)
		want  string
	}{
		"good":            {func(*State) {}, ""},
		"bad":             {func(s *State) { s.Client.Content.Data["ca.crt"] = []byte("x") }, "SecretKeyInvalid"},
		"not read":        {func(s *State) { s.Client.Content = nil }, ""},
		"bad, no consent": {func(s *State) { s.Client.Content.Data["ca.crt"] = []byte("x"); s.Client.AllowedHosts = "" }, ""},
	} {
		s := steady()
		s.Client.Content = clientSecret(map[string]string{"client-id": "id"})
		tc.given(s)
		got := ""
		if f := badCA(s, s.Desired.Endpoint); f != nil {
			got = f.Reason
		}
		if got != tc.want {
			t.Errorf("%s: got %q", name, got)
		}
	}
}
