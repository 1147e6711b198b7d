// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// TestGateRequestOfASteadyObject: the token of steady() expires at 12:00:00, and the time is 11:17:43.
func TestGateRequestOfASteadyObject(t *testing.T) {
	t.Parallel()
	failed := func(reason string, failures int32) func(*State) {
		return func(s *State) {
			s.Object.Status.Failures = failures
			s.Object.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionRefreshed, Status: metav1.ConditionFalse, Reason: reason}}
		}
	}
	for _, tc := range []struct {
		name    string
		given   func(*State)
		cause   Cause
		expires string
		planned bool
		// unproven says that status does not tell of a token, or of a refusal since.
		unproven bool
		failures int
		changed  bool
	}{
		{name: "renewal", given: func(*State) {}, cause: CauseRenewal, expires: "12:00:00", planned: true},
		{name: "renewal of a token that has just expired", given: func(s *State) { s.Now = at("12:00:00") }, cause: CauseRenewal, expires: "12:00:00"},
		{name: "first token", given: missing, cause: CauseMissing},
		{name: "the token key was edited", given: holding(replacedContent), cause: CauseReplaced},
		{name: "client Secret rotated", given: func(s *State) { s.Difference = Different }, cause: CauseChanged, expires: "12:00:00", unproven: true},
		{name: "asked for", given: func(*State) {}, cause: CauseRequested, expires: "12:00:00"},
		{name: "the API refuses it", given: func(*State) {}, cause: CauseRejected, expires: "12:00:00"},
		{name: "no answer", given: failed(v1alpha1.ReasonEndpointUnavailable, 3), cause: CauseRenewal, expires: "12:00:00", planned: true, failures: 3},
		{name: "429", given: failed(v1alpha1.ReasonThrottled, 1), cause: CauseRenewal, expires: "12:00:00", planned: true, failures: 1},
		{name: "429, and the client Secret was changed", given: func(s *State) {
			failed(v1alpha1.ReasonThrottled, 1)(s)
			s.Object.Status.NextRefreshTime = new(metav1.NewTime(s.Now.Add(time.Hour)))
		}, cause: CauseChanged, expires: "12:00:00", failures: 1, changed: true},
		{name: "held up by others, without an attempt", given: failed(v1alpha1.ReasonThrottled, 0), cause: CauseRenewal, expires: "12:00:00", planned: true},
		{name: "401", given: failed(v1alpha1.ReasonCredentialsRejected, 2), cause: CauseRenewal, expires: "12:00:00", planned: true, unproven: true},
		{name: "the budget was spent", given: failed(v1alpha1.ReasonBudgetSpent, 0), cause: CauseRenewal, expires: "12:00:00", planned: true},
	} {
		s := steady()
		tc.given(s)
		want := egress.Request{
			Host: "auth.example.com:443", Namespace: "marketing", Client: "etl-client", Object: "marketing/etl",
			Planned: tc.planned, Requested: tc.cause == CauseRequested, Changed: tc.changed, Proven: !tc.unproven && s.Object.Status.LastRefreshTime != nil, Failures: tc.failures,
		}
		if tc.expires != "" {
			want.Expires = at(tc.expires)
		}
		if tc.planned {
			want.Due = renewalTime(s)
		}
		if diff := cmp.Diff(want, GateRequest(s, tc.cause), cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tc.name, diff)
		}
	}
}

// TestGateResultOfEachError: what was never sent teaches the gate nothing about the endpoint, and a refusal that it is alive.
func TestGateResultOfEachError(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err  error
		want egress.ResultKind
	}{
		"a token":                      {nil, egress.Served},
		"a key that waits":             {&exchange.KeyWaitError{For: time.Second}, egress.Cancelled},
		"a key that cannot be used":    {&exchange.Error{Kind: exchange.InvalidKey}, egress.Cancelled},
		"a request that cannot be":     {&exchange.Error{Kind: exchange.InvalidRequest}, egress.Cancelled},
		"a provider that is not known": {&exchange.Error{Kind: exchange.Unsupported}, egress.Cancelled},
		"a private address":            {&exchange.Error{Kind: exchange.Unavailable, Cause: &egress.RefusedError{}}, egress.Cancelled},
		"401":                          {&exchange.Error{Kind: exchange.Rejected, Status: 401}, egress.Refused},
		"404":                          {&exchange.Error{Kind: exchange.Unavailable, Status: 404}, egress.Answered},
		"no token":                     {&exchange.Error{Kind: exchange.Malformed, Status: 200}, egress.Answered},
		"429":                          {&exchange.Error{Kind: exchange.Throttled, Status: 429}, egress.Throttled},
		"500":                          {&exchange.Error{Kind: exchange.Unavailable, Status: 500}, egress.Unavailable},
		"nothing":                      {&exchange.Error{Kind: exchange.Unavailable}, egress.Unavailable},
	} {
		if got := GateResult(tc.err, false); got.Kind != tc.want {
			t.Errorf("%s: %v, want %v", name, got.Kind, tc.want)
		}
	}
}

func TestRefusalIsOfWhatWasSent(t *testing.T) {
	t.Parallel()
	for kind, want := range map[exchange.Kind]bool{exchange.Rejected: true, exchange.Malformed: true, exchange.Throttled: false, exchange.Unavailable: false, exchange.InvalidKey: false} {
		if got := isRefusal(fmt.Errorf("x: %w", &exchange.Error{Kind: kind})); got != want {
			t.Errorf("%v: got %t", kind, got)
		}
	}
	if isRefusal(errors.New("no space left")) || isRefusal(nil) {
		t.Error("it is no refusal")
	}
}
