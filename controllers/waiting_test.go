package controllers

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

// TestHeldUpIsTold: a renewal that has waited for its turn for a minute is told, with Ready still True; what comes of an attempt says more.
func TestHeldUpIsTold(t *testing.T) {
	t.Parallel()
	const since = "11:42:00"
	well := []string{"Ready=True TokenValid", "Refreshed=True TokenIssued"}
	tests := map[string]struct {
		given func(*view)
		by    string
		cause cause
		now   string
		want  []string
		// says is in the message of Refreshed.
		says string
	}{
		"not yet":                    {written, egress.ReasonBreaker, causeRenewal, "11:42:59.9", well, ""},
		"breaker":                    {written, egress.ReasonBreaker, causeRenewal, "11:43:00", []string{"Ready=True TokenValid", "Refreshed=False EndpointUnavailable", "Reconciling=True EndpointUnavailable"}, "auth.example.com has failed"},
		"paused":                     {written, egress.ReasonPaused, causeRenewal, "11:43:00", []string{"Ready=True TokenValid", "Refreshed=False Throttled", "Reconciling=True Throttled"}, "auth.example.com throttles"},
		"our own rate":               {written, egress.ReasonRate, causeRenewal, "11:43:00", []string{"Ready=True TokenValid", "Refreshed=False Throttled", "Reconciling=True Throttled"}, "the operator's own limits"},
		"our own places":             {written, egress.ReasonHostInFlight, causeRenewal, "11:43:00", []string{"Ready=True TokenValid", "Refreshed=False Throttled", "Reconciling=True Throttled"}, "the operator's own limits"},
		"expired meanwhile":          {written, egress.ReasonBreaker, causeRenewal, "12:00:00", []string{"Ready=False TokenExpired", "Refreshed=False EndpointUnavailable", "Reconciling=True EndpointUnavailable"}, "auth.example.com has failed"},
		"a change, at the limit":     {written, egress.ReasonRate, causeChanged, "11:50:00", well, ""},
		"a change, in an outage":     {written, egress.ReasonBreaker, causeChanged, "11:50:00", []string{"Ready=True TokenValid", "Refreshed=False EndpointUnavailable", "Reconciling=True EndpointUnavailable"}, "auth.example.com has failed"},
		"a new object, at the limit": {func(v *view) { missing(v); v.obj.Status = v1alpha1.CDPCredentialStatus{ObservedGeneration: -1} }, egress.ReasonRate, causeMissing, "11:50:00", nil, ""},
		"a new object, in an outage": {func(v *view) { missing(v); v.obj.Status = v1alpha1.CDPCredentialStatus{ObservedGeneration: -1} }, egress.ReasonBreaker, causeMissing, "11:50:00", []string{
			"Ready=False NoToken", "Refreshed=False EndpointUnavailable", "Reconciling=True EndpointUnavailable",
		}, "auth.example.com has failed"},
		"an attempt was refused":   {func(v *view) { written(v); stalledBefore("CredentialsRejected")(v) }, egress.ReasonBreaker, causeRenewal, "11:50:00", []string{"Refreshed=False CredentialsRejected", "Stalled=True CredentialsRejected"}, "as before"},
		"another generation's was": {func(v *view) { written(v); stalledBefore("CredentialsRejected")(v); v.obj.Generation = 4 }, egress.ReasonBreaker, causeRenewal, "11:50:00", []string{"Ready=True TokenValid", "Refreshed=False EndpointUnavailable", "Reconciling=True EndpointUnavailable"}, "auth.example.com has failed"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := steady()
			tc.given(v)
			v.now = at(tc.now)
			out := outcome{waiting: true, heldUp: &holdUp{by: heldUpBy(tc.by), since: at(since)}}
			got := report(v, step{action: issue, cause: tc.cause}, out, nil)
			if diff := cmp.Diff(tc.want, conditionLines(got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if c := meta.FindStatusCondition(got.Conditions, "Refreshed"); tc.says != "" && !strings.Contains(c.Message, tc.says) {
				t.Errorf("got %q", c.Message)
			}
			if next := got.NextRefreshTime; next != nil && next.Time.Before(v.now.Add(-heldUpAfter-time.Second)) {
				t.Errorf("nextRefreshTime is %s at %s", next, v.now)
			}
			v.obj.Status = got
			v.now = v.now.Add(time.Second)
			if tc.now >= "11:43" {
				if diff := cmp.Diff(got, report(v, step{action: issue, cause: tc.cause}, out, nil)); diff != "" {
					t.Errorf("told again, -first +second:\n%s", diff)
				}
			}
		})
	}
}

// TestHeldUpDoesNotFlap: the reason that it waits for changes from pass to pass; what is told only ever gets worse, until an attempt was made.
func TestHeldUpDoesNotFlap(t *testing.T) {
	t.Parallel()
	v := steady()
	written(v)
	v.now = at("11:45:00")
	var told []string
	for _, by := range []string{egress.ReasonRate, egress.ReasonPaused, egress.ReasonRate, egress.ReasonBreaker, egress.ReasonPaused, egress.ReasonRate, egress.ReasonBreaker} {
		status := report(v, step{action: issue, cause: causeRenewal}, outcome{waiting: true, heldUp: &holdUp{by: heldUpBy(by), since: at("11:42:00")}}, nil)
		c := *meta.FindStatusCondition(status.Conditions, "Refreshed")
		if was := meta.FindStatusCondition(v.obj.Status.Conditions, "Refreshed"); was.Message != c.Message {
			told = append(told, by+" "+c.Reason)
		}
		v.obj.Status = status
	}
	if diff := cmp.Diff([]string{"rate Throttled", "paused Throttled", "breaker EndpointUnavailable"}, told); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	// The attempt that it waited for ends it, whatever comes of it.
	v.obj.Status = report(v, step{action: issue, cause: causeRenewal}, outcome{failure: failureOf(v, rejected(), 0.5)}, nil)
	if lines := conditionLines(v.obj.Status); !cmp.Equal(lines, []string{"Ready=True TokenValid", "Refreshed=False CredentialsRejected", "Stalled=True CredentialsRejected"}) {
		t.Errorf("after a refusal: %q", lines)
	}
	issued(v)
	v.obj.Status = report(v, step{action: issue, cause: causeRenewal}, outcome{wrote: true, issued: true}, nil)
	if lines := conditionLines(v.obj.Status); !cmp.Equal(lines, []string{"Ready=True TokenValid", "Refreshed=True TokenIssued"}) {
		t.Errorf("after a token: %q", lines)
	}
}

// TestHeldUpIsNoAttempt: it counts for no back-off, and a process that begins then asks for its turn at once.
func TestHeldUpIsNoAttempt(t *testing.T) {
	t.Parallel()
	for _, reason := range []string{"EndpointUnavailable", "Throttled", "MalformedResponse", "CredentialsRejected", "TargetUnusable"} {
		v := steady()
		written(v)
		failed(v, reason, "11:45:00")
		v.now = at("11:48:00")
		status := report(v, plan(v), outcome{waiting: true, heldUp: &holdUp{by: byOutage, since: at("11:45:00")}}, nil)
		if status.Failures != 1 || status.NextRefreshTime != nil {
			t.Errorf("%s: %d failures, next %s", reason, status.Failures, status.NextRefreshTime)
		}
		v.obj.Status = status
		if s := plan(v); s.action != issue {
			t.Errorf("%s: the next process plans %+v", reason, decided(s))
		}
	}
	// But a failure that is still waited out keeps its time, whatever else waits meanwhile.
	v := steady()
	written(v)
	failed(v, "CredentialsRejected", "11:58:00")
	v.now, v.target.content, v.held.content = at("11:50:00"), edited, edited
	v.obj.Status.Conditions = append(v.obj.Status.Conditions, metav1.Condition{Type: "Ready", Status: "False", Reason: "NoToken"})
	if s := plan(v); !s.keep || statusTime(report(v, s, outcome{waiting: true, at: at("11:50:10")}, nil).NextRefreshTime) != "11:58:00" {
		t.Errorf("got %+v", decided(s))
	}
}

// TestWakeToTell: a wait at the gate that may be long is looked at when it has to be told.
func TestWakeToTell(t *testing.T) {
	t.Parallel()
	for now, want := range map[string]string{"11:42:00": "1m0s", "11:42:30": "30s", "11:42:59.9": "100ms", "11:43:00": "5m0s"} {
		v := steady()
		written(v)
		v.now = at(now)
		out := outcome{waiting: true, at: v.now.Add(5 * time.Minute), heldUp: &holdUp{by: byOutage, since: at("11:42:00")}}
		status := report(v, plan(v), out, nil)
		if got := wake(v, plan(v), out, time.Time{}, &status).String(); got != want {
			t.Errorf("%s: got %s, want %s", now, got, want)
		}
	}
}

// TestRewrittenWhileItWaits: a rewrite that does not wait for the exchange is in status, so that the next process knows the target by its version.
func TestRewrittenWhileItWaits(t *testing.T) {
	t.Parallel()
	v := steady()
	written(v)
	v.target.version = "t/8"
	out := outcome{waiting: true, wrote: true, at: at("11:18:00")}
	if got := report(v, step{action: rewrite, cause: causeRejected}, out, nil); got.TargetVersion != "t/8" {
		t.Errorf("status tells of version %q", got.TargetVersion)
	}
}
