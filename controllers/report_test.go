package controllers

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// pass plans, does what needs no request, and reports. A token that is to be issued is refused with err.
func pass(t *testing.T, v *view, err error) (step, outcome, v1alpha1.CDPCredentialStatus) {
	t.Helper()
	s := plan(v)
	out := outcome{}
	switch s.action {
	case nothing:
		var actErr error
		if out, actErr = withGate(v).act(t.Context(), v, &remembered{}, s); actErr != nil {
			t.Fatal(actErr)
		}
	case issue, update:
		out.failure = failureOf(v, err, 0.5)
	case rewrite:
		out = outcome{failure: s.failure, at: s.at, wrote: true, waiting: s.failure == nil && !s.keep && !s.at.IsZero()}
	}
	return s, out, report(v, s, out, nil)
}

// withGate is a reconciler that has nothing but a gate, and the view's time.
func withGate(v *view) *CDPCredentialReconciler {
	return &CDPCredentialReconciler{Gate: egress.NewGate(egress.Limits{}), Clock: testingclock.NewFakePassiveClock(v.now)}
}

// issued makes the view that of after a new token was written.
func issued(v *view) {
	rec := *v.held.rec
	rec.IssuedAt, rec.ExpiresAt, rec.Cause, rec.Handled = v.now, v.now.Add(time.Hour), "Requested", refreshRequest(v.obj)
	v.target.found, v.target.rec, v.target.content, v.target.version = true, &rec, intact, "t/10"
	v.target.meta.Annotations["cdpcredentials.io/expires-at"] = rec.ExpiresAt.Format(time.RFC3339)
	v.held = v.target
}

func conditionLines(status v1alpha1.CDPCredentialStatus) []string {
	var lines []string
	for _, kind := range []string{"Ready", "Refreshed", "Verified", "Reconciling", "Stalled"} {
		if c := meta.FindStatusCondition(status.Conditions, kind); c != nil {
			lines = append(lines, c.Type+"="+string(c.Status)+" "+c.Reason)
		}
	}
	return lines
}

func unavailable() error {
	return &exchange.Error{Kind: exchange.Unavailable, Status: 503, Detail: "the endpoint failed"}
}
func rejected() error {
	return &exchange.Error{Kind: exchange.Rejected, Status: 401, Detail: "refused"}
}

// TestReportConditions: Ready has its own four reasons and says what the target holds; Refreshed how the last attempt went; and of
// Stalled and Reconciling at most one is there, with the failure's reason, and none when all is well.
func TestReportConditions(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		given func(*view)
		err   error
		want  []string
	}{
		"all is well":          {func(*view) {}, nil, []string{"Ready=True TokenValid", "Refreshed=True TokenIssued"}},
		"basic":                {basic, nil, []string{"Ready=True TokenValid", "Refreshed=True TokenIssued"}},
		"after a failure":      {func(v *view) { failed(v, "CredentialsRejected", "11:00:00") }, nil, []string{"Ready=True TokenValid", "Refreshed=True TokenIssued"}},
		"after an obstacle":    {stalledBefore("HostNotAllowed"), nil, []string{"Ready=True TokenValid", "Refreshed=True TokenIssued"}},
		"rewritten":            {unlabel, nil, []string{"Ready=True TokenValid", "Refreshed=True TokenIssued"}},
		"refused, no token":    {missing, rejected(), []string{"Ready=False NoToken", "Refreshed=False CredentialsRejected", "Stalled=True CredentialsRejected"}},
		"refused, token held":  {func(v *view) { v.difference = different }, rejected(), []string{"Ready=True TokenValid", "Refreshed=False CredentialsRejected", "Stalled=True CredentialsRejected"}},
		"outage, token held":   {func(v *view) { v.now = at("11:50:00") }, unavailable(), []string{"Ready=True TokenValid", "Refreshed=False EndpointUnavailable", "Reconciling=True EndpointUnavailable"}},
		"outage, expired":      {func(v *view) { v.now = at("12:00:00") }, unavailable(), []string{"Ready=False TokenExpired", "Refreshed=False EndpointUnavailable", "Reconciling=True EndpointUnavailable"}},
		"outage, token edited": {holding(replacedContent), unavailable(), []string{"Ready=False NoToken", "Refreshed=False EndpointUnavailable", "Reconciling=True EndpointUnavailable"}},
		"throttled":            {missing, &exchange.Error{Kind: exchange.Throttled}, []string{"Ready=False NoToken", "Refreshed=False Throttled", "Reconciling=True Throttled"}},
		"no usable token":      {missing, &exchange.Error{Kind: exchange.Malformed}, []string{"Ready=False NoToken", "Refreshed=False MalformedResponse", "Reconciling=True MalformedResponse"}},
		"address refused":      {missing, &exchange.Error{Cause: refusedAddress()}, []string{"Ready=False NoToken", "Refreshed=False EndpointRefused", "Stalled=True EndpointRefused"}},
		"key missing":          {missing, &missingKeyError{}, []string{"Ready=False NoToken", "Refreshed=False SecretKeyMissing", "Stalled=True SecretKeyMissing"}},
		"key invalid":          {missing, &exchange.Error{Kind: exchange.InvalidKey}, []string{"Ready=False NoToken", "Refreshed=False SecretKeyInvalid", "Stalled=True SecretKeyInvalid"}},
		"not served":           {missing, &exchange.Error{Kind: exchange.Unsupported}, []string{"Ready=False NoToken", "Refreshed=False InvalidSpec", "Stalled=True InvalidSpec"}},
		"cannot be sent":       {missing, &exchange.Error{Kind: exchange.InvalidRequest}, []string{"Ready=False NoToken", "Refreshed=False InvalidSpec", "Stalled=True InvalidSpec"}},
		"no client Secret":     {func(v *view) { v.client = clientView{} }, nil, []string{"Ready=True TokenValid", "Refreshed=False SecretNotFound", "Stalled=True SecretNotFound"}},
		"no consent":           {func(v *view) { v.client.allowedHosts = "" }, nil, []string{"Ready=True TokenValid", "Refreshed=False HostNotAllowed", "Stalled=True HostNotAllowed"}},
		"bad template":         {badTemplate, nil, []string{"Ready=True TokenValid", "Refreshed=False InvalidTemplate", "Stalled=True InvalidTemplate"}},
		"foreign target":       {foreign, nil, []string{"Ready=False NoToken", "Refreshed=False TargetNotOwned", "Stalled=True TargetNotOwned"}},
		"other's target":       {func(v *view) { v.target.meta.Annotations["cdpcredentials.io/credential"] = "other" }, nil, []string{"Ready=False NoToken", "Refreshed=False TargetNotOwned", "Stalled=True TargetNotOwned"}},
		"unusable target":      {holding(func(s *targetView) { s.unusable = "is immutable" }), nil, []string{"Ready=True TokenValid", "Refreshed=False TargetUnusable", "Stalled=True TargetUnusable"}},
		"budget spent":         {func(v *view) { v.difference = different; budget(v, 1, 1) }, nil, []string{"Ready=True TokenValid", "Refreshed=False BudgetSpent", "Stalled=True BudgetSpent"}},
		"from one to another": {func(v *view) { stalledBefore("CredentialsRejected")(v); v.obj.Generation = 4; v.difference = different }, unavailable(), []string{
			"Ready=True TokenValid", "Refreshed=False EndpointUnavailable", "Reconciling=True EndpointUnavailable",
		}},
		"still waited out": {func(v *view) {
			stalledBefore("CredentialsRejected")(v)
			v.difference = different
			v.obj.Status.NextRefreshTime = second("11:30:00")
		}, nil, []string{
			"Ready=True TokenValid", "Refreshed=False CredentialsRejected", "Stalled=True CredentialsRejected",
		}},
		"still waited out, and expired meanwhile": {func(v *view) {
			stalledBefore("CredentialsRejected")(v)
			v.obj.Status.NextRefreshTime, v.now = second("12:30:00"), at("12:00:00")
		}, nil, []string{"Ready=False TokenExpired", "Refreshed=False CredentialsRejected", "Stalled=True CredentialsRejected"}},
		"renamed target, no longer moving": {func(v *view) { renamed(v); v.client = clientView{} }, nil, []string{"Ready=False NoToken", "Refreshed=False SecretNotFound", "Stalled=True SecretNotFound"}},

		// Ready keeps its truth; what was waited for is not waited for any more.
		"suspended":            {suspended, nil, []string{"Ready=True Suspended"}},
		"suspended, no token":  {func(v *view) { suspended(v); missing(v) }, nil, []string{"Ready=False Suspended"}},
		"suspended, expired":   {func(v *view) { suspended(v); v.now = at("12:00:00") }, nil, []string{"Ready=False Suspended"}},
		"suspended, in outage": {func(v *view) { suspended(v); failed(v, "EndpointUnavailable", "11:20:00") }, nil, []string{"Ready=True Suspended", "Refreshed=False EndpointUnavailable"}},
		"suspended, stalled":   {func(v *view) { suspended(v); stalledBefore("HostNotAllowed")(v) }, nil, []string{"Ready=True Suspended", "Refreshed=False HostNotAllowed"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := steady()
			tc.given(v)
			_, _, status := pass(t, v, tc.err)
			if diff := cmp.Diff(tc.want, conditionLines(status)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if status.ObservedGeneration != v.obj.Generation {
				t.Errorf("observedGeneration is %d at the generation %d", status.ObservedGeneration, v.obj.Generation)
			}
			for _, c := range status.Conditions {
				if c.Message == "" || c.LastTransitionTime.IsZero() {
					t.Errorf("%s has the message %q and the time %s", c.Type, c.Message, c.LastTransitionTime)
				}
			}
		})
	}
}

// stalledBefore has an earlier pass say it.
func stalledBefore(reason string) func(*view) {
	return func(v *view) {
		failed(v, reason, "")
		v.obj.Status.Conditions = append(v.obj.Status.Conditions, metav1.Condition{Type: "Stalled", Status: "True", Reason: reason, Message: "as before", LastTransitionTime: *second("10:00:00")})
	}
}

// TestReportReady: it turns False at the second of expiry, and its time of transition is that of the change.
func TestReportReady(t *testing.T) {
	t.Parallel()
	v := steady()
	v.obj.Spec.Suspend = true // no attempt disturbs
	var last metav1.Condition
	for _, tc := range []struct {
		now     string
		truth   metav1.ConditionStatus
		message string
		since   string
	}{
		{"11:17:43", "True", "The target Secret holds a valid token; refreshing is suspended by spec.suspend", "11:17:43"},
		{"11:59:59.999999999", "True", "The target Secret holds a valid token; refreshing is suspended by spec.suspend", "11:17:43"},
		{"12:00:00", "False", "The token in the target Secret has expired; refreshing is suspended by spec.suspend", "12:00:00"},
		{"12:34:56", "False", "The token in the target Secret has expired; refreshing is suspended by spec.suspend", "12:00:00"},
	} {
		v.now = at(tc.now)
		v.obj.Status = report(v, step{}, outcome{}, nil)
		last = *meta.FindStatusCondition(v.obj.Status.Conditions, "Ready")
		if last.Status != tc.truth || last.Message != tc.message || !last.LastTransitionTime.Time.Equal(at(tc.since)) {
			t.Errorf("%s: got %s since %s, %q", tc.now, last.Status, last.LastTransitionTime, last.Message)
		}
	}
	missing(v)
	v.obj.Spec.Suspend = false
	status := report(v, step{}, outcome{failure: &failure{reason: "SecretNotFound", stalled: true}}, nil)
	if got := meta.FindStatusCondition(status.Conditions, "Ready"); got.Message != "The target Secret holds no token yet: see the condition Refreshed" {
		t.Errorf("got %q", got.Message)
	}
}

// TestReadyPointsToAFailure: a Ready that is False points to the condition Refreshed if that says what is wrong, and never else.
func TestReadyPointsToAFailure(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given func(*view)
		want  string
	}{
		"no token yet":            {func(v *view) { missing(v); v.obj.Status = v1alpha1.CDPCredentialStatus{} }, "The target Secret holds no token yet: a new one is on its way"},
		"the token was edited":    {func(v *view) { written(v); holding(replacedContent)(v) }, "The target Secret holds no token yet: a new one is on its way"},
		"expired at the gate":     {func(v *view) { written(v); v.now = at("12:00:00") }, "The token in the target Secret has expired: a new one is on its way"},
		"expired in an outage":    {func(v *view) { written(v); failed(v, "EndpointUnavailable", ""); v.now = at("12:00:00") }, "The token in the target Secret has expired: see the condition Refreshed"},
		"no token, and refused":   {func(v *view) { missing(v); failed(v, "CredentialsRejected", "") }, "The target Secret holds no token yet: see the condition Refreshed"},
		"suspended after failure": {func(v *view) { suspended(v); missing(v); failed(v, "CredentialsRejected", "") }, "The target Secret holds no token yet: see the condition Refreshed; refreshing is suspended by spec.suspend"},
	} {
		v := steady()
		tc.given(v)
		setReady(v, &v.obj.Status)
		if got := meta.FindStatusCondition(v.obj.Status.Conditions, "Ready").Message; got != tc.want {
			t.Errorf("%s: got  %s\nwant %s", name, got, tc.want)
		}
	}
}

// TestReportReason: Suspended while suspended, else Verified's reason while that is False, else Refreshed's.
func TestReportReason(t *testing.T) {
	t.Parallel()
	forbidden := &verification{truth: "False", reason: "InsufficientScope", message: "x"}
	unknown := &verification{truth: "Unknown", reason: "EndpointUnavailable", message: "x"}
	verifying := func(v *view) { v.obj.Spec.Verify = &v1alpha1.Verify{URL: "https://api.example.com"} }
	for name, tc := range map[string]struct {
		given func(*view)
		out   outcome
		tried *verification
		want  string
	}{
		"all is well":                        {written, outcome{}, nil, "TokenIssued"},
		"failed":                             {written, outcome{failure: stalled("HostNotAllowed", "x")}, nil, "HostNotAllowed"},
		"not verified":                       {verifying, outcome{}, forbidden, "InsufficientScope"},
		"not verified, and a renewal failed": {verifying, outcome{failure: stalled("HostNotAllowed", "x")}, forbidden, "InsufficientScope"},
		"nobody knows":                       {verifying, outcome{}, unknown, "TokenIssued"},
		"suspended":                          {func(v *view) { written(v); suspended(v) }, outcome{}, nil, "Suspended"},
		"suspended, never seen before":       {suspended, outcome{}, nil, "Suspended"},
		"suspended, not verified": {func(v *view) {
			verifying(v)
			v.obj.Status = report(v, step{}, outcome{}, forbidden)
			suspended(v)
		}, outcome{}, nil, "Suspended"},
		"resumed, and waiting for its turn": {func(v *view) { suspended(v); written(v); v.obj.Spec.Suspend = false }, outcome{waiting: true}, nil, ""},
		"a new object that waits":           {missing, outcome{waiting: true}, nil, ""},
	} {
		v := steady()
		tc.given(v)
		if got := report(v, step{}, tc.out, tc.tried).Reason; got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

// TestReportWaiting: waiting for the endpoint's gate, or for the minimum interval, writes no status; only a Ready that is no longer true is
// told.
func TestReportWaiting(t *testing.T) {
	t.Parallel()
	before := func() *view {
		v := steady()
		v.obj.Generation = 2
		v.obj.Status = report(v, step{}, outcome{}, nil)
		v.obj.Generation = 3
		return v
	}
	tests := map[string]struct {
		given func(*view)
		ready string
	}{
		"a change waits at the gate":      {func(v *view) { v.difference = different }, ""},
		"a new object waits at the gate":  {func(v *view) { missing(v); v.obj.Status = v1alpha1.CDPCredentialStatus{ObservedGeneration: -1} }, ""},
		"a renewal waits past the expiry": {func(v *view) { v.now = at("12:00:00") }, "Ready=False TokenExpired"},
		"the token was edited":            {holding(replacedContent), "Ready=False NoToken"},
		"the target was deleted":          {missing, "Ready=False NoToken"},
		"said already":                    {func(v *view) { missing(v); setReady(v, &v.obj.Status) }, ""},
		"a lost token came back":          {func(v *view) { held := v.target; missing(v); setReady(v, &v.obj.Status); v.target, v.held = held, held }, "Ready=True TokenValid"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := before()
			tc.given(v)
			want := v.obj.Status.DeepCopy()
			got := report(v, step{action: issue}, outcome{waiting: true, at: at("11:18:00")}, nil)
			if tc.ready != "" {
				if line := conditionLines(got)[0]; line != tc.ready {
					t.Errorf("got %s, want %s", line, tc.ready)
				}
				setReady(v, want)
				want.NextRefreshTime = nil
			}
			if diff := cmp.Diff(*want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	// The process that wrote the token was killed before it could say so; now the next token waits for its turn.
	t.Run("what an earlier process wrote is told", func(t *testing.T) {
		t.Parallel()
		for name, status := range map[string]v1alpha1.CDPCredentialStatus{"of the token before": before().obj.Status, "none yet": {ObservedGeneration: -1}} {
			v := before()
			v.obj.Status, v.difference = status, different
			v.target.rec.ExpiresAt = at("12:47:00")
			v.held = v.target
			got := report(v, step{action: issue}, outcome{waiting: true, at: at("11:18:00")}, nil)
			if got.TokenExpirationTime == nil || !got.TokenExpirationTime.Time.Equal(at("12:47:00")) || got.TargetVersion != v.target.version {
				t.Errorf("%s: expiry %s, version %q", name, got.TokenExpirationTime, got.TargetVersion)
			}
			if line := conditionLines(got)[0]; line != "Ready=True TokenValid" {
				t.Errorf("%s: got %s", name, line)
			}
			if got.ObservedGeneration != status.ObservedGeneration {
				t.Errorf("%s: the generation counts as observed", name)
			}
		}
	})
	t.Run("for the minimum interval", func(t *testing.T) {
		t.Parallel()
		v := before()
		v.difference, v.held.rec.IssuedAt = different, at("11:17:40")
		s, out, status := pass(t, v, nil)
		if out.waiting != true || s.at != at("11:17:50") || status.ObservedGeneration != 2 {
			t.Errorf("waiting: %t until %s, observedGeneration %d", out.waiting, s.at, status.ObservedGeneration)
		}
	})
}

// TestReportTimes: whole seconds, and never a better one than is true.
func TestReportTimes(t *testing.T) {
	t.Parallel()
	type times struct{ expires, last, next string }
	tests := map[string]struct {
		given func(*view)
		err   error
		want  times
	}{
		"all is well":            {func(*view) {}, nil, times{"12:00:00", "11:00:00", "11:41:59"}},
		"fractions":              {func(v *view) { living(v, "11:00:00.9", "12:00:00.9") }, nil, times{"12:00:00", "11:00:00", "11:42:00"}},
		"before of 10m":          {func(v *view) { renewBefore(v, 10*time.Minute) }, nil, times{"12:00:00", "11:00:00", "11:46:59"}},
		"no token":               {missing, rejected(), times{"", "", "11:32:43"}},
		"token deleted":          {func(v *view) { v.obj.Status = report(v, step{}, outcome{}, nil); missing(v) }, rejected(), times{"", "11:00:00", "11:32:43"}},
		"obstacle":               {func(v *view) { v.client = clientView{} }, nil, times{"12:00:00", "11:00:00", ""}},
		"obstacle after failure": {func(v *view) { v.client = clientView{}; failed(v, "CredentialsRejected", "11:30:00") }, nil, times{"12:00:00", "11:00:00", ""}},
		"waited out":             {func(v *view) { v.difference = different; failed(v, "CredentialsRejected", "11:30:00") }, nil, times{"12:00:00", "11:00:00", "11:30:00"}},
		"budget":                 {func(v *view) { v.difference = different; budget(v, 1, 1) }, nil, times{"12:00:00", "11:00:00", "2026-03-02T00:00:00Z"}},
		"suspended":              {suspended, nil, times{"12:00:00", "11:00:00", ""}},
		// The wait that was asked for is not forgotten by suspending and resuming.
		"suspended in an outage":                 {func(v *view) { suspended(v); failed(v, "EndpointUnavailable", "11:20:00") }, nil, times{"12:00:00", "11:00:00", ""}},
		"suspended, throttled":                   {func(v *view) { suspended(v); failed(v, "Throttled", "11:20:00") }, nil, times{"12:00:00", "11:00:00", "11:20:00"}},
		"suspended, throttled until a while ago": {func(v *view) { suspended(v); failed(v, "Throttled", "11:17:43") }, nil, times{"12:00:00", "11:00:00", ""}},
		"basic":                                  {basic, nil, times{}},
		// The token is still there, under the old name.
		"moving": {func(v *view) { v.obj.Status = report(v, step{}, outcome{}, nil); renamed(v); v.client = clientView{} }, nil, times{"12:00:00", "11:00:00", ""}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := steady()
			tc.given(v)
			_, _, status := pass(t, v, tc.err)
			got := times{statusTime(status.TokenExpirationTime), statusTime(status.LastRefreshTime), statusTime(status.NextRefreshTime)}
			if got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
	// An endpoint that says two seconds must not be asked after one and a half.
	for retry, want := range map[string]string{
		"11:17:45": "11:17:45", "11:17:45.000000001": "11:17:46", "11:17:45.5": "11:17:46", "11:17:45.999999999": "11:17:46", "11:17:43": "11:17:43",
	} {
		v := steady()
		status := report(v, step{action: issue}, outcome{failure: &failure{reason: "Throttled", attempted: true, retryAt: at(retry)}}, nil)
		if got := statusTime(status.NextRefreshTime); got != want {
			t.Errorf("a retry at %s is told as of %s, want %s", retry, got, want)
		}
	}
}

func statusTime(t *metav1.Time) string {
	if t == nil {
		return ""
	}
	return clockText(t.Time)
}

// TestReportTarget: where the token is, and the version that a restarted operator need not look into.
func TestReportTarget(t *testing.T) {
	t.Parallel()
	type target struct{ name, version, provider string }
	tests := map[string]struct {
		given func(*view)
		want  target
	}{
		"all is well": {func(*view) {}, target{"etl-token", "t/9", "oauth2"}},
		"edited":      {func(v *view) { holding(editedContent)(v); v.client = clientView{} }, target{"etl-token", "", "oauth2"}},
		// It was looked into, and need not be after the next start.
		"labelled by others":      {func(v *view) { written(v); v.target.version, v.held.version = "t/10", "t/10" }, target{"etl-token", "t/10", "oauth2"}},
		"made again by a restore": {func(v *view) { written(v); v.target.version, v.target.meta.UID = "u/10", "u"; v.held = v.target }, target{"etl-token", "u/10", "oauth2"}},
		"rewritten":               {func(v *view) { written(v); unlabel(v); v.target.version, v.held.version = "t/10", "t/10" }, target{"etl-token", "t/10", "oauth2"}},
		// What is wrong with it would be forgotten by the next process, if status vouched for it.
		"immutable":     {func(v *view) { written(v); holding(func(s *targetView) { s.unusable = "is immutable" })(v) }, target{"etl-token", "", "oauth2"}},
		"never written": {missing, target{"", "", "oauth2"}},
		"deleted":       {func(v *view) { written(v); missing(v) }, target{"etl-token", "", "oauth2"}},
		"token edited":  {func(v *view) { written(v); holding(replacedContent)(v) }, target{"etl-token", "", "oauth2"}},
		"taken over":    {func(v *view) { written(v); foreign(v) }, target{"etl-token", "", "oauth2"}},
		"moving":        {func(v *view) { written(v); renamed(v); v.client = clientView{} }, target{"etl-token", "t/9", "oauth2"}},
		"moved": {func(v *view) {
			written(v)
			v.target.name, v.obj.Spec.Target.Name = "etl-new", "etl-new"
			v.held = v.target
		}, target{"etl-new", "t/9", "oauth2"}},
		"unknown spec":    {func(v *view) { written(v); provide(v, v1alpha1.Provider{}) }, target{"etl-token", "t/9", "oauth2"}},
		"another one":     {func(v *view) { written(v); basic(v) }, target{"etl-token", "t/9", "basic"}},
		"suspended":       {suspended, target{"etl-token", "t/9", "oauth2"}},
		"suspended, gone": {func(v *view) { written(v); suspended(v); missing(v) }, target{"etl-token", "", "oauth2"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := steady()
			tc.given(v)
			_, _, status := pass(t, v, rejected())
			if got := (target{status.TargetName, status.TargetVersion, status.Provider}); got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

// written has an earlier pass report the token.
func written(v *view) { v.obj.Status = report(v, step{}, outcome{}, nil) }

func TestReportGrantedScopes(t *testing.T) {
	t.Parallel()
	v := steady()
	v.held.rec.Granted = []string{"read", "write"}
	written(v)
	if diff := cmp.Diff([]string{"read", "write"}, v.obj.Status.GrantedScopes); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	v.held.rec.Granted = nil
	if written(v); v.obj.Status.GrantedScopes != nil {
		t.Errorf("an endpoint that names none has granted what was asked for: got %q", v.obj.Status.GrantedScopes)
	}
}

// TestReportFailures: attempts are counted and remembered with what they were made of; what was no attempt clears both, unless it only
// waits.
func TestReportFailures(t *testing.T) {
	t.Parallel()
	asked := steady().intent.asked
	first := &v1alpha1.Attempt{Generation: 3, Asked: asked, ClientSecretVersion: "c/7"}
	// sent is one that the endpoint has answered just now.
	sent := func(change func(*v1alpha1.Attempt)) *v1alpha1.Attempt {
		a := &v1alpha1.Attempt{Generation: 3, Asked: asked, ClientSecretVersion: "c/7", Time: second("11:17:43")}
		change(a)
		return a
	}
	outage, refusal := func(*v1alpha1.Attempt) {}, func(a *v1alpha1.Attempt) { a.Rejected = true }
	tests := map[string]struct {
		given    func(*view)
		err      error
		failures int32
		attempt  *v1alpha1.Attempt
	}{
		"the first":                   {missing, unavailable(), 1, sent(outage)},
		"the second":                  {func(v *view) { missing(v); failed(v, "EndpointUnavailable", "11:00:00") }, unavailable(), 2, sent(outage)},
		"of another kind":             {func(v *view) { missing(v); failed(v, "EndpointUnavailable", "11:00:00") }, rejected(), 1, sent(refusal)},
		"of a new generation":         {func(v *view) { missing(v); failed(v, "CredentialsRejected", "11:30:00"); v.obj.Generation = 4 }, rejected(), 2, sent(func(a *v1alpha1.Attempt) { a.Rejected, a.Generation = true, 4 })},
		"of a new client Secret":      {func(v *view) { missing(v); failed(v, "CredentialsRejected", "11:30:00"); v.client.version = "c/8" }, rejected(), 2, sent(func(a *v1alpha1.Attempt) { a.Rejected, a.ClientSecretVersion = true, "c/8" })},
		"between two seconds":         {func(v *view) { missing(v); v.now = at("11:17:43.001") }, unavailable(), 1, sent(func(a *v1alpha1.Attempt) { a.Time = second("11:17:44") })},
		"because of a 401 of the API": {func(v *view) { v.rejected = true }, unavailable(), 1, sent(func(a *v1alpha1.Attempt) { a.TokenRejected = true })},
		"nothing was sent":            {missing, &missingKeyError{}, 1, first},
		"nothing was sent, and before it was": {func(v *view) {
			missing(v)
			failed(v, "CredentialsRejected", "11:00:00")
			lastAskedAt(v, "11:16:00", true)
		}, &missingKeyError{}, 1, sent(func(a *v1alpha1.Attempt) {
			a.Time, a.Rejected = second("11:16:00"), true
		})},
		"waited out": {func(v *view) { missing(v); failed(v, "CredentialsRejected", "11:30:00") }, nil, 1, first},
		"waited out, another generation, throttled": {func(v *view) { missing(v); failed(v, "Throttled", "11:30:00"); v.obj.Generation = 4 }, nil, 1, first},
		"an obstacle": {func(v *view) { missing(v); failed(v, "CredentialsRejected", "11:30:00"); v.client = clientView{} }, nil, 0, nil},
		"an obstacle, after an attempt": {func(v *view) {
			missing(v)
			failed(v, "CredentialsRejected", "11:30:00")
			lastAskedAt(v, "11:17:40", true)
			v.client = clientView{}
		}, nil, 0, sent(func(a *v1alpha1.Attempt) {
			a.Time, a.Rejected, a.Superseded = second("11:17:40"), true, true
		})},
		"the budget, in between": {func(v *view) { missing(v); failed(v, "EndpointUnavailable", "11:00:00"); budget(v, 1, 1) }, nil, 1, first},
		"suspended":              {func(v *view) { missing(v); failed(v, "EndpointUnavailable", "11:20:00"); suspended(v) }, nil, 1, first},
		"a success":              {func(v *view) { failed(v, "EndpointUnavailable", "11:00:00") }, nil, 0, nil},
		"basic, in between": {func(v *view) {
			failed(v, "CredentialsRejected", "11:30:00")
			lastAskedAt(v, "11:17:00", true)
			basic(v)
			missing(v)
			v.obj.Generation = 4
		}, nil, 0, sent(func(a *v1alpha1.Attempt) {
			a.Time, a.Rejected, a.Superseded = second("11:17:00"), true, true
		})},
		"a rewrite beside it":     {func(v *view) { v.difference = different; failed(v, "EndpointUnavailable", "11:20:00"); unlabel(v) }, nil, 1, first},
		"nothing is due any more": {func(v *view) { failed(v, "EndpointUnavailable", "11:20:00") }, nil, 0, nil},
		"nothing is due any more, just now": {func(v *view) { failed(v, "CredentialsRejected", "11:30:00"); lastAskedAt(v, "11:17:00", true) }, nil, 0, sent(func(a *v1alpha1.Attempt) {
			a.Time, a.Rejected, a.Superseded = second("11:17:00"), true, true
		})},
		"nothing is due any more, a minute ago": {func(v *view) { failed(v, "CredentialsRejected", "11:30:00"); lastAskedAt(v, "11:16:43", true) }, nil, 0, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := steady()
			tc.given(v)
			_, _, status := pass(t, v, tc.err)
			if diff := cmp.Diff(tc.attempt, status.LastAttempt); diff != "" || status.Failures != tc.failures {
				t.Errorf("%d failures, want %d; the last attempt, -want +got:\n%s", status.Failures, tc.failures, diff)
			}
		})
	}
}

// TestReportKeeps: while a failure is waited out, what was said of it stays word for word, and is said to be true of the new generation.
func TestReportKeeps(t *testing.T) {
	t.Parallel()
	v := steady()
	missing(v)
	v.obj.Status.Conditions = []metav1.Condition{
		{Type: "Refreshed", Status: "False", Reason: "Throttled", Message: "as before (correlation id abc)", ObservedGeneration: 3},
		{Type: "Reconciling", Status: "True", Reason: "Throttled", Message: "as before (correlation id abc)", ObservedGeneration: 3},
	}
	v.obj.Status.LastAttempt = &v1alpha1.Attempt{Generation: 3, Asked: v.intent.asked, ClientSecretVersion: "c/7"}
	v.obj.Status.NextRefreshTime = second("11:30:00")
	v.obj.Generation = 4
	_, _, status := pass(t, v, nil)
	want := []metav1.Condition{
		{Type: "Refreshed", Status: "False", Reason: "Throttled", Message: "as before (correlation id abc)", ObservedGeneration: 4},
		{Type: "Reconciling", Status: "True", Reason: "Throttled", Message: "as before (correlation id abc)", ObservedGeneration: 4},
		{Type: "Ready", Status: "False", Reason: "NoToken", Message: "The target Secret holds no token yet: see the condition Refreshed", ObservedGeneration: 4, LastTransitionTime: *second("11:17:43")},
	}
	if diff := cmp.Diff(want, status.Conditions); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestReportCorrelation: the first correlation id since the reason appeared stays, so that the message does not flap.
func TestReportCorrelation(t *testing.T) {
	t.Parallel()
	v := steady()
	missing(v)
	attempt := func(status int, correlation string) string {
		v.now = v.now.Add(time.Hour)
		v.obj.Status = report(v, step{action: issue}, outcome{failure: failureOf(v, &exchange.Error{
			Kind: exchange.Unavailable, Status: status, Detail: "it failed", CorrelationID: correlation,
		}, 0.5)}, nil)
		refreshed, reconciling := meta.FindStatusCondition(v.obj.Status.Conditions, "Refreshed"), meta.FindStatusCondition(v.obj.Status.Conditions, "Reconciling")
		if refreshed.Message != reconciling.Message {
			t.Errorf("Refreshed and Reconciling differ:\n%s\n%s", refreshed.Message, reconciling.Message)
		}
		return refreshed.Message
	}
	for i, tc := range []struct {
		status      int
		correlation string
		want        string
	}{
		{503, "abc", "auth.example.com: it failed: HTTP 503; it is tried again by itself (correlation id abc)"},
		{503, "def", "auth.example.com: it failed: HTTP 503; it is tried again by itself (correlation id abc)"},
		{503, "", "auth.example.com: it failed: HTTP 503; it is tried again by itself (correlation id abc)"},
		{502, "ghi", "auth.example.com: it failed: HTTP 502; it is tried again by itself (correlation id abc)"},
		{500, "", "auth.example.com: it failed: HTTP 500; it is tried again by itself (correlation id abc)"},
	} {
		if got := attempt(tc.status, tc.correlation); got != tc.want {
			t.Errorf("%d: got  %s\nwant %s", i, got, tc.want)
		}
	}
	// A success in between ends it.
	v.obj.Status = report(v, step{}, outcome{}, nil)
	if got, want := attempt(500, "mno"), "auth.example.com: it failed: HTTP 500; it is tried again by itself (correlation id mno)"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	// Another reason does, too; a change of the object alone does not.
	v.obj.Generation = 4
	if got, want := attempt(500, "pqr"), "auth.example.com: it failed: HTTP 500; it is tried again by itself (correlation id mno)"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestReportSteady: a second pass over the same state has nothing to patch.
func TestReportSteady(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		given func(*view)
		err   error
	}{
		"all is well":    {func(*view) {}, nil},
		"basic":          {basic, nil},
		"suspended":      {suspended, nil},
		"foreign target": {foreign, nil},
		"no consent":     {func(v *view) { v.client.allowedHosts = "" }, nil},
		"refused":        {missing, rejected()},
		"outage":         {func(v *view) { v.difference = different }, unavailable()},
		"budget":         {func(v *view) { v.difference = different; budget(v, 1, 1) }, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := steady()
			tc.given(v)
			_, _, first := pass(t, v, tc.err)
			v.obj.Status = *first.DeepCopy()
			v.now = v.now.Add(300 * time.Millisecond)
			s, _, second := pass(t, v, tc.err)
			if diff := cmp.Diff(first, second); diff != "" || s.action != nothing {
				t.Errorf("the second pass plans %d and reports, -first +second:\n%s", s.action, diff)
			}
		})
	}
}

// TestReportIssuance: of what status and the record say of one day the larger counts, and of two days the later.
func TestReportIssuance(t *testing.T) {
	t.Parallel()
	day := func(day string, count int32) *v1alpha1.Issuance { return &v1alpha1.Issuance{Day: day, Count: count} }
	tests := map[string]struct{ status, record, want *v1alpha1.Issuance }{
		"none":                {nil, nil, nil},
		"status was lost":     {nil, day("2026-03-01", 7), day("2026-03-01", 7)},
		"record was lost":     {day("2026-03-01", 7), nil, day("2026-03-01", 7)},
		"status is behind":    {day("2026-03-01", 6), day("2026-03-01", 7), day("2026-03-01", 7)},
		"record is behind":    {day("2026-03-01", 7), day("2026-03-01", 6), day("2026-03-01", 7)},
		"record is of later":  {day("2026-02-28", 20), day("2026-03-01", 1), day("2026-03-01", 1)},
		"record is of before": {day("2026-03-01", 1), day("2026-02-28", 20), day("2026-03-01", 1)},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := steady()
			v.obj.Status.Issuance, v.held.rec.Issuance = tc.status, tc.record
			got := report(v, step{}, outcome{}, nil)
			if diff := cmp.Diff(tc.want, got.Issuance); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if got.Issuance != nil && got.Issuance == tc.record {
				t.Error("status shares its count with the record")
			}
		})
	}
}

// TestRefreshRequestLife: a request is handled when it was tried, pending until a token has come of it, and answered once.
func TestRefreshRequestLife(t *testing.T) {
	t.Parallel()
	v := steady()
	request(v, "today")
	check := func(when, handled string, pending bool) {
		t.Helper()
		if s := v.obj.Status; s.LastHandledRefreshRequest != handled || s.RefreshPending != pending {
			t.Errorf("%s: handled %q, pending: %t; want %q, %t", when, s.LastHandledRefreshRequest, s.RefreshPending, handled, pending)
		}
	}
	s := plan(v)
	v.obj.Status = report(v, s, outcome{waiting: true}, nil)
	check("at the gate", "", false)

	_, _, v.obj.Status = pass(t, v, unavailable())
	check("after the first attempt", "today", true)

	s, _, v.obj.Status = pass(t, v, nil)
	check("waiting for the second", "today", true)
	if !s.keep {
		t.Error("the failure is not waited out")
	}

	// A spent budget is no attempt.
	v.now = at("11:18:00")
	budget(v, 1, 1)
	if _, out, status := pass(t, v, nil); out.failure.reason != "BudgetSpent" || !status.RefreshPending {
		t.Errorf("got %s, pending: %t", out.failure.reason, status.RefreshPending)
	}
	v.obj.Spec.Refresh = nil

	_, _, v.obj.Status = pass(t, v, unavailable())
	check("after the second", "today", true)
	if v.obj.Status.Failures != 2 {
		t.Errorf("%d failures", v.obj.Status.Failures)
	}

	v.now = at("11:19:00")
	if s = plan(v); s.action != issue || s.cause != "Requested" {
		t.Fatalf("got %+v", decided(s))
	}
	issued(v)
	v.obj.Status = report(v, s, outcome{wrote: true, issued: true}, nil)
	check("after the token", "today", false)

	v.now = at("11:20:00")
	if s = plan(v); s.action != nothing {
		t.Errorf("answered twice: %+v", decided(s))
	}
	// Status may be lost: the record knows.
	v.obj.Status = v1alpha1.CDPCredentialStatus{}
	if s = plan(v); s.action != nothing {
		t.Errorf("answered again after status was lost: %+v", decided(s))
	}
	v.obj.Status = report(v, s, outcome{}, nil)
	check("after status was lost", "today", false)

	// Taking the annotation away asks for nothing; putting another one does.
	v.obj.Annotations = nil
	if s = plan(v); s.action != nothing {
		t.Errorf("got %+v", decided(s))
	}
	request(v, "tomorrow")
	if s = plan(v); s.action != issue {
		t.Errorf("got %+v", decided(s))
	}

	// A renewal that fails handles the request that came meanwhile, but pends nothing: it is due anyway.
	v = steady()
	v.now = at("11:50:00")
	request(v, "today")
	_, _, v.obj.Status = pass(t, v, unavailable())
	check("after a renewal's failure", "today", false)
}

// TestReportVerified: the API's word stays until there is another one, and goes with spec.verify.
func TestReportVerified(t *testing.T) {
	t.Parallel()
	accepted := &verification{truth: "True", reason: "Verified", message: "The API accepts the token"}
	forbidden := &verification{truth: "False", reason: "InsufficientScope", message: "x", correlation: "abc"}
	undecided := &verification{truth: "Unknown", reason: "EndpointUnavailable", message: "x", undecided: true}
	tests := map[string]struct {
		spec  bool
		first *verification
		then  *verification
		want  []string
	}{
		"not tried":                   {true, nil, nil, nil},
		"accepted":                    {true, nil, accepted, []string{"Verified=True Verified"}},
		"not tried again":             {true, accepted, nil, []string{"Verified=True Verified"}},
		"forbidden":                   {true, accepted, forbidden, []string{"Verified=False InsufficientScope"}},
		"accepted again":              {true, forbidden, accepted, []string{"Verified=True Verified"}},
		"no word":                     {true, accepted, undecided, []string{"Verified=True Verified"}},
		"no word, and there was none": {true, nil, undecided, []string{"Verified=Unknown EndpointUnavailable"}},
		"no word, and it was not allowed to be tried": {true, &verification{truth: "False", reason: "HostNotAllowed", message: "x"}, undecided, []string{"Verified=Unknown EndpointUnavailable"}},
		"no word, and its CA was no good":             {true, &verification{truth: "Unknown", reason: "SecretKeyInvalid", message: "x"}, undecided, []string{"Verified=Unknown EndpointUnavailable"}},
		"could not be tried at all":                   {true, nil, &verification{undecided: true}, nil},
		"no longer wanted":                            {false, accepted, nil, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := steady()
			v.obj.Spec.Verify = &v1alpha1.Verify{URL: "https://api.example.com"}
			v.obj.Status = report(v, step{}, outcome{}, tc.first)
			if !tc.spec {
				v.obj.Spec.Verify = nil
			}
			want := append([]string{"Ready=True TokenValid", "Refreshed=True TokenIssued"}, tc.want...)
			if diff := cmp.Diff(want, conditionLines(report(v, step{}, outcome{}, tc.then))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	t.Run("no longer wanted, while suspended", func(t *testing.T) {
		t.Parallel()
		v := steady()
		v.obj.Spec.Verify = &v1alpha1.Verify{URL: "https://api.example.com"}
		v.obj.Status = report(v, step{}, outcome{}, forbidden)
		suspended(v)
		if got := conditionLines(report(v, step{}, outcome{}, nil)); !slices.Contains(got, "Verified=False InsufficientScope") {
			t.Errorf("got %q", got)
		}
		v.obj.Spec.Verify = nil
		if diff := cmp.Diff([]string{"Ready=True Suspended", "Refreshed=True TokenIssued"}, conditionLines(report(v, step{}, outcome{}, nil))); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
	t.Run("401, and no new token is to be had", func(t *testing.T) {
		t.Parallel()
		v := steady()
		v.obj.Spec.Verify = &v1alpha1.Verify{URL: "https://api.example.com"}
		v.rejected = true
		_, _, status := pass(t, v, unavailable())
		want := []string{"Ready=True TokenValid", "Refreshed=False EndpointUnavailable", "Verified=False TokenRejected", "Reconciling=True EndpointUnavailable"}
		if diff := cmp.Diff(want, conditionLines(status)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
	t.Run("the first correlation id stays", func(t *testing.T) {
		t.Parallel()
		v := steady()
		v.obj.Spec.Verify = &v1alpha1.Verify{URL: "https://api.example.com"}
		v.obj.Status = report(v, step{}, outcome{}, forbidden)
		again := *forbidden
		again.correlation = "def"
		status := report(v, step{}, outcome{}, &again)
		if got := meta.FindStatusCondition(status.Conditions, "Verified").Message; got != "x (correlation id abc)" {
			t.Errorf("got %q", got)
		}
	})
}

// TestReportLeavesTheViewAlone: report is pure, above all with what the cache shares with others.
func TestReportLeavesTheViewAlone(t *testing.T) {
	t.Parallel()
	v := steady()
	failed(v, "CredentialsRejected", "11:30:00")
	v.difference = different
	before := v.obj.DeepCopy()
	pass(t, v, rejected())
	v.obj.Generation = 3
	if diff := cmp.Diff(before, v.obj); diff != "" {
		t.Errorf("-before +after:\n%s", diff)
	}
}

// TestReadyButNot: consumers are told that the token is gone before the endpoint is asked for another one.
func TestReadyButNot(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given func(*view)
		want  bool
	}{
		"all is well":      {written, false},
		"expired":          {func(v *view) { written(v); v.now = at("12:00:00") }, true},
		"edited":           {func(v *view) { written(v); holding(replacedContent)(v) }, true},
		"deleted":          {func(v *view) { written(v); missing(v) }, true},
		"told already":     {func(v *view) { written(v); missing(v); setReady(v, &v.obj.Status) }, false},
		"never was":        {missing, false},
		"moving":           {func(v *view) { written(v); renamed(v) }, false},
		"basic: at once":   {func(v *view) { basic(v); written(v); missing(v) }, false},
		"a renewal is due": {func(v *view) { written(v); v.now = at("11:50:00") }, false},
	} {
		v := steady()
		tc.given(v)
		if got := readyButNot(v); got != tc.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}
