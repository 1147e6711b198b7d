// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
)

// TestHoldUpIsReportedAfterAMinute: a renewal that has waited for its turn for a minute is told, with Ready still True; what comes of an attempt says more.
func TestHoldUpIsReportedAfterAMinute(t *testing.T) {
	t.Parallel()
	const since = "11:42:00"
	well := []string{"Ready=True TokenValid", "Refreshed=True TokenIssued"}
	tests := map[string]struct {
		given func(*State)
		by    string
		cause Cause
		now   string
		want  []string
		// says is in the message of Refreshed.
		says string
	}{
		"not yet":                    {written, egress.ReasonBreaker, CauseRenewal, "11:42:59.9", well, ""},
		"breaker":                    {written, egress.ReasonBreaker, CauseRenewal, "11:43:00", []string{"Ready=True TokenValid", "Refreshed=False EndpointUnavailable", "Reconciling=True EndpointUnavailable"}, "auth.example.com has failed"},
		"paused":                     {written, egress.ReasonPaused, CauseRenewal, "11:43:00", []string{"Ready=True TokenValid", "Refreshed=False Throttled", "Reconciling=True Throttled"}, "auth.example.com throttles"},
		"our own rate":               {written, egress.ReasonRate, CauseRenewal, "11:43:00", []string{"Ready=True TokenValid", "Refreshed=False Throttled", "Reconciling=True Throttled"}, "the operator's own limits"},
		"our own places":             {written, egress.ReasonHostInFlight, CauseRenewal, "11:43:00", []string{"Ready=True TokenValid", "Refreshed=False Throttled", "Reconciling=True Throttled"}, "the operator's own limits"},
		"expired meanwhile":          {written, egress.ReasonBreaker, CauseRenewal, "12:00:00", []string{"Ready=False TokenExpired", "Refreshed=False EndpointUnavailable", "Reconciling=True EndpointUnavailable"}, "auth.example.com has failed"},
		"a change, at the limit":     {written, egress.ReasonRate, CauseChanged, "11:50:00", well, ""},
		"a change, in an outage":     {written, egress.ReasonBreaker, CauseChanged, "11:50:00", []string{"Ready=True TokenValid", "Refreshed=False EndpointUnavailable", "Reconciling=True EndpointUnavailable"}, "auth.example.com has failed"},
		"a new object, at the limit": {func(s *State) { missing(s); s.Object.Status = v1alpha1.CDPCredentialStatus{ObservedGeneration: -1} }, egress.ReasonRate, CauseMissing, "11:50:00", nil, ""},
		"a new object, in an outage": {func(s *State) { missing(s); s.Object.Status = v1alpha1.CDPCredentialStatus{ObservedGeneration: -1} }, egress.ReasonBreaker, CauseMissing, "11:50:00", []string{
			"Ready=False NoToken", "Refreshed=False EndpointUnavailable", "Reconciling=True EndpointUnavailable",
		}, "auth.example.com has failed"},
		"an attempt was refused":   {func(s *State) { written(s); stalledBefore("CredentialsRejected")(s) }, egress.ReasonBreaker, CauseRenewal, "11:50:00", []string{"Refreshed=False CredentialsRejected", "Stalled=True CredentialsRejected"}, "as before"},
		"another generation's was": {func(s *State) { written(s); stalledBefore("CredentialsRejected")(s); s.Object.Generation = 4 }, egress.ReasonBreaker, CauseRenewal, "11:50:00", []string{"Ready=True TokenValid", "Refreshed=False EndpointUnavailable", "Reconciling=True EndpointUnavailable"}, "auth.example.com has failed"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := steady()
			tc.given(s)
			s.Now = at(tc.now)
			result := Result{Waiting: true, HeldUp: &HoldUp{By: HoldUpCauseOf(tc.by), Since: at(since)}}
			got := NewStatus(s, Plan{Action: ActionIssue, Cause: tc.cause}, result, nil)
			if diff := cmp.Diff(tc.want, conditionLines(got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if c := meta.FindStatusCondition(got.Conditions, "Refreshed"); tc.says != "" && !strings.Contains(c.Message, tc.says) {
				t.Errorf("got %q", c.Message)
			}
			if next := got.NextRefreshTime; next != nil && next.Time.Before(s.Now.Add(-heldUpAfter-time.Second)) {
				t.Errorf("nextRefreshTime is %s at %s", next, s.Now)
			}
			s.Object.Status = got
			s.Now = s.Now.Add(time.Second)
			if tc.now >= "11:43" {
				if diff := cmp.Diff(got, NewStatus(s, Plan{Action: ActionIssue, Cause: tc.cause}, result, nil)); diff != "" {
					t.Errorf("told again, -first +second:\n%s", diff)
				}
			}
		})
	}
}

// TestHoldUpDoesNotFlap: the reason that it waits for changes from pass to pass; what is told only ever gets worse, until an attempt was made.
func TestHoldUpDoesNotFlap(t *testing.T) {
	t.Parallel()
	s := steady()
	written(s)
	s.Now = at("11:45:00")
	var told []string
	for _, by := range []string{egress.ReasonRate, egress.ReasonPaused, egress.ReasonRate, egress.ReasonBreaker, egress.ReasonPaused, egress.ReasonRate, egress.ReasonBreaker} {
		status := NewStatus(s, Plan{Action: ActionIssue, Cause: CauseRenewal}, Result{Waiting: true, HeldUp: &HoldUp{By: HoldUpCauseOf(by), Since: at("11:42:00")}}, nil)
		c := *meta.FindStatusCondition(status.Conditions, "Refreshed")
		if was := meta.FindStatusCondition(s.Object.Status.Conditions, "Refreshed"); was.Message != c.Message {
			told = append(told, by+" "+c.Reason)
		}
		s.Object.Status = status
	}
	if diff := cmp.Diff([]string{"rate Throttled", "paused Throttled", "breaker EndpointUnavailable"}, told); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	// The attempt that it waited for ends it, whatever comes of it.
	s.Object.Status = NewStatus(s, Plan{Action: ActionIssue, Cause: CauseRenewal}, Result{Failure: failureOf(s, rejected(), 0.5)}, nil)
	if lines := conditionLines(s.Object.Status); !cmp.Equal(lines, []string{"Ready=True TokenValid", "Refreshed=False CredentialsRejected", "Stalled=True CredentialsRejected"}) {
		t.Errorf("after a refusal: %q", lines)
	}
	issued(s)
	s.Object.Status = NewStatus(s, Plan{Action: ActionIssue, Cause: CauseRenewal}, Result{Wrote: true}, nil)
	if lines := conditionLines(s.Object.Status); !cmp.Equal(lines, []string{"Ready=True TokenValid", "Refreshed=True TokenIssued"}) {
		t.Errorf("after a token: %q", lines)
	}
}

// TestHoldUpCountsForNoBackoff: it counts for no back-off, and a process that begins then asks for its turn at once.
func TestHoldUpCountsForNoBackoff(t *testing.T) {
	t.Parallel()
	for _, reason := range []string{"EndpointUnavailable", "Throttled", "MalformedResponse", "CredentialsRejected", "TargetUnusable"} {
		s := steady()
		written(s)
		failed(s, reason, "11:45:00")
		s.Now = at("11:48:00")
		status := NewStatus(s, Decide(s), Result{Waiting: true, HeldUp: &HoldUp{By: byOutage, Since: at("11:45:00")}}, nil)
		if status.Failures != 1 || status.NextRefreshTime != nil {
			t.Errorf("%s: %d failures, next %s", reason, status.Failures, status.NextRefreshTime)
		}
		s.Object.Status = status
		if plan := Decide(s); plan.Action != ActionIssue {
			t.Errorf("%s: the next process plans %+v", reason, decided(plan))
		}
	}
	// But a failure that is still waited out keeps its time, whatever else waits meanwhile.
	s := steady()
	written(s)
	failed(s, "CredentialsRejected", "11:58:00")
	s.Now, s.Target.Content, s.Current.Content = at("11:50:00"), ContentEdited, ContentEdited
	s.Object.Status.Conditions = append(s.Object.Status.Conditions, metav1.Condition{Type: "Ready", Status: "False", Reason: "NoToken"})
	if plan := Decide(s); !plan.Keep || statusTime(NewStatus(s, plan, Result{Waiting: true, At: at("11:50:10")}, nil).NextRefreshTime) != "11:58:00" {
		t.Errorf("got %+v", decided(plan))
	}
}

// TestRequeueReportsALongWait: a wait at the gate that may be long is looked at when it has to be told.
func TestRequeueReportsALongWait(t *testing.T) {
	t.Parallel()
	for now, want := range map[string]string{"11:42:00": "1m0s", "11:42:30": "30s", "11:42:59.9": "100ms", "11:43:00": "5m0s"} {
		s := steady()
		written(s)
		s.Now = at(now)
		result := Result{Waiting: true, At: s.Now.Add(5 * time.Minute), HeldUp: &HoldUp{By: byOutage, Since: at("11:42:00")}}
		status := NewStatus(s, Decide(s), result, nil)
		if got := RequeueAfter(s, Decide(s), result, time.Time{}, &status).String(); got != want {
			t.Errorf("%s: got %s, want %s", now, got, want)
		}
	}
}

// TestRewriteWhileWaitingIsInStatus: a rewrite that does not wait for the exchange is in status, so that the next process knows the target by its version.
func TestRewriteWhileWaitingIsInStatus(t *testing.T) {
	t.Parallel()
	s := steady()
	written(s)
	s.Target.Version = "t/8"
	result := Result{Waiting: true, Wrote: true, At: at("11:18:00")}
	if got := NewStatus(s, Plan{Action: ActionRewrite, Cause: CauseRejected}, result, nil); got.TargetVersion != "t/8" {
		t.Errorf("status tells of version %q", got.TargetVersion)
	}
}

// TestUnsavedWriteOvertakenWhileWaitingIsNotReported: seed 710194. Status could not be saved after a write of the target, which another process has written since.
func TestUnsavedWriteOvertakenWhileWaitingIsNotReported(t *testing.T) {
	t.Parallel()
	s := steady()
	written(s)
	s.SavedStatus = *s.Object.Status.DeepCopy()
	s.SavedStatus.TargetVersion, s.Object.Status.TargetVersion, s.Target.Version = "t/8", "t/9", "t/10"
	result := Result{Waiting: true, At: at("11:18:00")}
	if got := NewStatus(s, Plan{Action: ActionRewrite}, result, nil); got.TargetVersion != "t/10" {
		t.Errorf("status tells of version %q", got.TargetVersion)
	}
}

// TestBasicReturnedWhileWaitingIsReported: seed 352723. Credentials of basic, which have no expiry, are there again, and the exchange for another provider waits: Ready
// and the name of the target are told together.
func TestBasicReturnedWhileWaitingIsReported(t *testing.T) {
	t.Parallel()
	s := steady()
	written(s)
	s.Target.Persisted.ExpiresAt = time.Time{}
	s.Object.Status.TargetName, s.Object.Status.TokenExpirationTime = "", nil
	got := NewStatus(s, Plan{Action: ActionIssue, Cause: CauseChanged}, Result{Waiting: true, At: at("11:18:00")}, nil)
	if got.TargetName != s.Target.Name || !meta.IsStatusConditionTrue(got.Conditions, "Ready") {
		t.Errorf("targetName is %q: %v", got.TargetName, conditionLines(got))
	}
}
