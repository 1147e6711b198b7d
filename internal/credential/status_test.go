// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// pass plans, does what needs no request, and reports. A token that is to be issued is refused with err.
func pass(t *testing.T, s *State, err error) (Plan, Result, v1alpha1.CDPCredentialStatus) {
	t.Helper()
	plan := Decide(s)
	result := Result{}
	switch plan.Action {
	case ActionNone:
		result = NoAction(plan)
	case ActionIssue, ActionUpdate:
		result.Failure = failureOf(s, err, 0.5)
	case ActionRewrite:
		result = Result{Failure: plan.Failure, At: plan.At, Wrote: true, Waiting: plan.Failure == nil && !plan.Keep && !plan.At.IsZero()}
	}
	return plan, result, NewStatus(s, plan, result, nil)
}

// issued makes the view that of after a new token was written.
func issued(s *State) {
	rec := *s.Current.Persisted
	rec.IssuedAt, rec.ExpiresAt, rec.Cause, rec.HandledRequest = s.Now, s.Now.Add(time.Hour), "Requested", refreshRequest(s.Object)
	s.Target.Found, s.Target.Persisted, s.Target.Content, s.Target.Version = true, &rec, ContentIntact, "t/10"
	s.Target.Metadata.Annotations["cdpcredentials.io/expires-at"] = rec.ExpiresAt.Format(time.RFC3339)
	s.Current = s.Target
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

// TestStatusConditionsOfEachOutcome: Ready has its own four reasons and says what the target holds; Refreshed how the last attempt went; and of
// Stalled and Reconciling at most one is there, with the failure's reason, and none when all is well.
func TestStatusConditionsOfEachOutcome(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		given func(*State)
		err   error
		want  []string
	}{
		"all is well":          {func(*State) {}, nil, []string{"Ready=True TokenValid", "Refreshed=True TokenIssued"}},
		"basic":                {basic, nil, []string{"Ready=True TokenValid", "Refreshed=True TokenIssued"}},
		"after a failure":      {func(v *State) { failed(v, "CredentialsRejected", "11:00:00") }, nil, []string{"Ready=True TokenValid", "Refreshed=True TokenIssued"}},
		"after an obstacle":    {stalledBefore("HostNotAllowed"), nil, []string{"Ready=True TokenValid", "Refreshed=True TokenIssued"}},
		"rewritten":            {unlabel, nil, []string{"Ready=True TokenValid", "Refreshed=True TokenIssued"}},
		"refused, no token":    {missing, rejected(), []string{"Ready=False NoToken", "Refreshed=False CredentialsRejected", "Stalled=True CredentialsRejected"}},
		"refused, token held":  {func(v *State) { v.Difference = Different }, rejected(), []string{"Ready=True TokenValid", "Refreshed=False CredentialsRejected", "Stalled=True CredentialsRejected"}},
		"outage, token held":   {func(v *State) { v.Now = at("11:50:00") }, unavailable(), []string{"Ready=True TokenValid", "Refreshed=False EndpointUnavailable", "Reconciling=True EndpointUnavailable"}},
		"outage, expired":      {func(v *State) { v.Now = at("12:00:00") }, unavailable(), []string{"Ready=False TokenExpired", "Refreshed=False EndpointUnavailable", "Reconciling=True EndpointUnavailable"}},
		"outage, token edited": {holding(replacedContent), unavailable(), []string{"Ready=False NoToken", "Refreshed=False EndpointUnavailable", "Reconciling=True EndpointUnavailable"}},
		"throttled":            {missing, &exchange.Error{Kind: exchange.Throttled}, []string{"Ready=False NoToken", "Refreshed=False Throttled", "Reconciling=True Throttled"}},
		"no usable token":      {missing, &exchange.Error{Kind: exchange.Malformed}, []string{"Ready=False NoToken", "Refreshed=False MalformedResponse", "Reconciling=True MalformedResponse"}},
		"address refused":      {missing, &exchange.Error{Cause: refusedAddress()}, []string{"Ready=False NoToken", "Refreshed=False EndpointRefused", "Stalled=True EndpointRefused"}},
		"key missing":          {missing, &missingKeyError{}, []string{"Ready=False NoToken", "Refreshed=False SecretKeyMissing", "Stalled=True SecretKeyMissing"}},
		"key invalid":          {missing, &exchange.Error{Kind: exchange.InvalidKey}, []string{"Ready=False NoToken", "Refreshed=False SecretKeyInvalid", "Stalled=True SecretKeyInvalid"}},
		"not served":           {missing, &exchange.Error{Kind: exchange.Unsupported}, []string{"Ready=False NoToken", "Refreshed=False InvalidSpec", "Stalled=True InvalidSpec"}},
		"cannot be sent":       {missing, &exchange.Error{Kind: exchange.InvalidRequest}, []string{"Ready=False NoToken", "Refreshed=False InvalidSpec", "Stalled=True InvalidSpec"}},
		"no client Secret":     {func(v *State) { v.Client = ClientSecret{} }, nil, []string{"Ready=True TokenValid", "Refreshed=False SecretNotFound", "Stalled=True SecretNotFound"}},
		"no consent":           {func(v *State) { v.Client.AllowedHosts = "" }, nil, []string{"Ready=True TokenValid", "Refreshed=False HostNotAllowed", "Stalled=True HostNotAllowed"}},
		"bad template":         {badTemplate, nil, []string{"Ready=True TokenValid", "Refreshed=False InvalidTemplate", "Stalled=True InvalidTemplate"}},
		"foreign target":       {foreign, nil, []string{"Ready=False NoToken", "Refreshed=False TargetNotOwned", "Stalled=True TargetNotOwned"}},
		"other's target":       {func(v *State) { v.Target.Metadata.Annotations["cdpcredentials.io/credential"] = "other" }, nil, []string{"Ready=False NoToken", "Refreshed=False TargetNotOwned", "Stalled=True TargetNotOwned"}},
		"unusable target":      {holding(func(s *TargetSecret) { s.Unusable = "is immutable" }), nil, []string{"Ready=True TokenValid", "Refreshed=False TargetUnusable", "Stalled=True TargetUnusable"}},
		"budget spent":         {func(v *State) { v.Difference = Different; budget(v, 1, 1) }, nil, []string{"Ready=True TokenValid", "Refreshed=False BudgetSpent", "Stalled=True BudgetSpent"}},
		"from one to another": {func(v *State) {
			stalledBefore("CredentialsRejected")(v)
			v.Object.Generation = 4
			v.Difference = Different
		}, unavailable(), []string{
			"Ready=True TokenValid", "Refreshed=False EndpointUnavailable", "Reconciling=True EndpointUnavailable",
		}},
		"still waited out": {func(v *State) {
			stalledBefore("CredentialsRejected")(v)
			v.Difference = Different
			v.Object.Status.NextRefreshTime = second("11:30:00")
		}, nil, []string{
			"Ready=True TokenValid", "Refreshed=False CredentialsRejected", "Stalled=True CredentialsRejected",
		}},
		"still waited out, and expired meanwhile": {func(v *State) {
			stalledBefore("CredentialsRejected")(v)
			v.Object.Status.NextRefreshTime, v.Now = second("12:30:00"), at("12:00:00")
		}, nil, []string{"Ready=False TokenExpired", "Refreshed=False CredentialsRejected", "Stalled=True CredentialsRejected"}},
		"renamed target, no longer moving": {func(v *State) { renamed(v); v.Client = ClientSecret{} }, nil, []string{"Ready=False NoToken", "Refreshed=False SecretNotFound", "Stalled=True SecretNotFound"}},

		// Ready keeps its truth; what was waited for is not waited for any more.
		"suspended":            {suspended, nil, []string{"Ready=True Suspended"}},
		"suspended, no token":  {func(v *State) { suspended(v); missing(v) }, nil, []string{"Ready=False Suspended"}},
		"suspended, expired":   {func(v *State) { suspended(v); v.Now = at("12:00:00") }, nil, []string{"Ready=False Suspended"}},
		"suspended, in outage": {func(v *State) { suspended(v); failed(v, "EndpointUnavailable", "11:20:00") }, nil, []string{"Ready=True Suspended", "Refreshed=False EndpointUnavailable"}},
		"suspended, stalled":   {func(v *State) { suspended(v); stalledBefore("HostNotAllowed")(v) }, nil, []string{"Ready=True Suspended", "Refreshed=False HostNotAllowed"}},
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
			if status.ObservedGeneration != v.Object.Generation {
				t.Errorf("observedGeneration is %d at the generation %d", status.ObservedGeneration, v.Object.Generation)
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
func stalledBefore(reason string) func(*State) {
	return func(s *State) {
		failed(s, reason, "")
		s.Object.Status.Conditions = append(s.Object.Status.Conditions, metav1.Condition{Type: "Stalled", Status: "True", Reason: reason, Message: "as before", LastTransitionTime: *second("10:00:00")})
	}
}

// TestReadyTurnsFalseAtExpiry: it turns False at the second of expiry, and its time of transition is that of the change.
func TestReadyTurnsFalseAtExpiry(t *testing.T) {
	t.Parallel()
	s := steady()
	s.Object.Spec.Suspend = true // no attempt disturbs
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
		s.Now = at(tc.now)
		s.Object.Status = NewStatus(s, Plan{}, Result{}, nil)
		last = *meta.FindStatusCondition(s.Object.Status.Conditions, "Ready")
		if last.Status != tc.truth || last.Message != tc.message || !last.LastTransitionTime.Time.Equal(at(tc.since)) {
			t.Errorf("%s: got %s since %s, %q", tc.now, last.Status, last.LastTransitionTime, last.Message)
		}
	}
	missing(s)
	s.Object.Spec.Suspend = false
	status := NewStatus(s, Plan{}, Result{Failure: &Failure{Reason: "SecretNotFound", Stalled: true}}, nil)
	if got := meta.FindStatusCondition(status.Conditions, "Ready"); got.Message != "The target Secret holds no token yet: see the condition Refreshed" {
		t.Errorf("got %q", got.Message)
	}
}

// TestReadyPointsToTheFailedRefresh: a Ready that is False points to the condition Refreshed if that says what is wrong, and never else.
func TestReadyPointsToTheFailedRefresh(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given func(*State)
		want  string
	}{
		"no token yet":            {func(s *State) { missing(s); s.Object.Status = v1alpha1.CDPCredentialStatus{} }, "The target Secret holds no token yet: a new one is on its way"},
		"the token was edited":    {func(s *State) { written(s); holding(replacedContent)(s) }, "The target Secret holds no token yet: a new one is on its way"},
		"expired at the gate":     {func(s *State) { written(s); s.Now = at("12:00:00") }, "The token in the target Secret has expired: a new one is on its way"},
		"expired in an outage":    {func(s *State) { written(s); failed(s, "EndpointUnavailable", ""); s.Now = at("12:00:00") }, "The token in the target Secret has expired: see the condition Refreshed"},
		"no token, and refused":   {func(s *State) { missing(s); failed(s, "CredentialsRejected", "") }, "The target Secret holds no token yet: see the condition Refreshed"},
		"suspended after failure": {func(s *State) { suspended(s); missing(s); failed(s, "CredentialsRejected", "") }, "The target Secret holds no token yet: see the condition Refreshed; refreshing is suspended by spec.suspend"},
	} {
		s := steady()
		tc.given(s)
		reportReady(s, &s.Object.Status)
		if got := meta.FindStatusCondition(s.Object.Status.Conditions, "Ready").Message; got != tc.want {
			t.Errorf("%s: got  %s\nwant %s", name, got, tc.want)
		}
	}
}

// TestStatusReasonOfEachState: Suspended while suspended, else Verified's reason while that is False, else Refreshed's.
func TestStatusReasonOfEachState(t *testing.T) {
	t.Parallel()
	forbidden := &Verification{Status: "False", Reason: "InsufficientScope", Message: "x"}
	unknown := &Verification{Status: "Unknown", Reason: "EndpointUnavailable", Message: "x"}
	verifying := func(s *State) { s.Object.Spec.Verify = &v1alpha1.Verify{URL: "https://api.example.com"} }
	for name, tc := range map[string]struct {
		given func(*State)
		out   Result
		tried *Verification
		want  string
	}{
		"all is well":                        {written, Result{}, nil, "TokenIssued"},
		"failed":                             {written, Result{Failure: stalled("HostNotAllowed", "x")}, nil, "HostNotAllowed"},
		"not verified":                       {verifying, Result{}, forbidden, "InsufficientScope"},
		"not verified, and a renewal failed": {verifying, Result{Failure: stalled("HostNotAllowed", "x")}, forbidden, "InsufficientScope"},
		"nobody knows":                       {verifying, Result{}, unknown, "TokenIssued"},
		"suspended":                          {func(s *State) { written(s); suspended(s) }, Result{}, nil, "Suspended"},
		"suspended, never seen before":       {suspended, Result{}, nil, "Suspended"},
		"suspended, not verified": {func(s *State) {
			verifying(s)
			s.Object.Status = NewStatus(s, Plan{}, Result{}, forbidden)
			suspended(s)
		}, Result{}, nil, "Suspended"},
		"resumed, and waiting for its turn": {func(s *State) { suspended(s); written(s); s.Object.Spec.Suspend = false }, Result{Waiting: true}, nil, ""},
		"a new object that waits":           {missing, Result{Waiting: true}, nil, ""},
	} {
		s := steady()
		tc.given(s)
		if got := NewStatus(s, Plan{}, tc.out, tc.tried).Reason; got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

// TestStatusStaysWhileWaiting: waiting for the endpoint's gate, or for the minimum interval, writes no status; only a Ready that is no longer true is
// told.
func TestStatusStaysWhileWaiting(t *testing.T) {
	t.Parallel()
	before := func() *State {
		s := steady()
		s.Object.Generation = 2
		s.Object.Status = NewStatus(s, Plan{}, Result{}, nil)
		s.Object.Generation = 3
		return s
	}
	tests := map[string]struct {
		given func(*State)
		ready string
	}{
		"a change waits at the gate":      {func(s *State) { s.Difference = Different }, ""},
		"a new object waits at the gate":  {func(s *State) { missing(s); s.Object.Status = v1alpha1.CDPCredentialStatus{ObservedGeneration: -1} }, ""},
		"a renewal waits past the expiry": {func(s *State) { s.Now = at("12:00:00") }, "Ready=False TokenExpired"},
		"the token was edited":            {holding(replacedContent), "Ready=False NoToken"},
		"the target was deleted":          {missing, "Ready=False NoToken"},
		"said already":                    {func(s *State) { missing(s); reportReady(s, &s.Object.Status) }, ""},
		"a lost token came back": {func(s *State) {
			held := s.Target
			missing(s)
			reportReady(s, &s.Object.Status)
			s.Target, s.Current = held, held
		}, "Ready=True TokenValid"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := before()
			tc.given(s)
			want := s.Object.Status.DeepCopy()
			got := NewStatus(s, Plan{Action: ActionIssue}, Result{Waiting: true, At: at("11:18:00")}, nil)
			if tc.ready != "" {
				if line := conditionLines(got)[0]; line != tc.ready {
					t.Errorf("got %s, want %s", line, tc.ready)
				}
				reportReady(s, want)
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
		for name, status := range map[string]v1alpha1.CDPCredentialStatus{"of the token before": before().Object.Status, "none yet": {ObservedGeneration: -1}} {
			s := before()
			s.Object.Status, s.Difference = status, Different
			s.Target.Persisted.ExpiresAt = at("12:47:00")
			s.Current = s.Target
			got := NewStatus(s, Plan{Action: ActionIssue}, Result{Waiting: true, At: at("11:18:00")}, nil)
			if got.TokenExpirationTime == nil || !got.TokenExpirationTime.Time.Equal(at("12:47:00")) || got.TargetVersion != s.Target.Version {
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
		s := before()
		s.Difference, s.Current.Persisted.IssuedAt = Different, at("11:17:40")
		plan, result, status := pass(t, s, nil)
		if result.Waiting != true || plan.At != at("11:17:50") || status.ObservedGeneration != 2 {
			t.Errorf("waiting: %t until %s, observedGeneration %d", result.Waiting, plan.At, status.ObservedGeneration)
		}
	})
}

// TestStatusTimesHaveWholeSeconds: whole seconds, and never a better one than is true.
func TestStatusTimesHaveWholeSeconds(t *testing.T) {
	t.Parallel()
	type times struct{ expires, last, next string }
	tests := map[string]struct {
		given func(*State)
		err   error
		want  times
	}{
		"all is well":            {func(*State) {}, nil, times{"12:00:00", "11:00:00", "11:41:59"}},
		"fractions":              {func(s *State) { living(s, "11:00:00.9", "12:00:00.9") }, nil, times{"12:00:00", "11:00:00", "11:42:00"}},
		"before of 10m":          {func(s *State) { renewBefore(s, 10*time.Minute) }, nil, times{"12:00:00", "11:00:00", "11:46:59"}},
		"no token":               {missing, rejected(), times{"", "", "11:32:43"}},
		"token deleted":          {func(s *State) { s.Object.Status = NewStatus(s, Plan{}, Result{}, nil); missing(s) }, rejected(), times{"", "11:00:00", "11:32:43"}},
		"obstacle":               {func(s *State) { s.Client = ClientSecret{} }, nil, times{"12:00:00", "11:00:00", ""}},
		"obstacle after failure": {func(s *State) { s.Client = ClientSecret{}; failed(s, "CredentialsRejected", "11:30:00") }, nil, times{"12:00:00", "11:00:00", ""}},
		"waited out":             {func(s *State) { s.Difference = Different; failed(s, "CredentialsRejected", "11:30:00") }, nil, times{"12:00:00", "11:00:00", "11:30:00"}},
		"budget":                 {func(s *State) { s.Difference = Different; budget(s, 1, 1) }, nil, times{"12:00:00", "11:00:00", "2026-03-02T00:00:00Z"}},
		"suspended":              {suspended, nil, times{"12:00:00", "11:00:00", ""}},
		// The wait that was asked for is not forgotten by suspending and resuming.
		"suspended in an outage":                 {func(s *State) { suspended(s); failed(s, "EndpointUnavailable", "11:20:00") }, nil, times{"12:00:00", "11:00:00", ""}},
		"suspended, throttled":                   {func(s *State) { suspended(s); failed(s, "Throttled", "11:20:00") }, nil, times{"12:00:00", "11:00:00", "11:20:00"}},
		"suspended, throttled until a while ago": {func(s *State) { suspended(s); failed(s, "Throttled", "11:17:43") }, nil, times{"12:00:00", "11:00:00", ""}},
		"basic":                                  {basic, nil, times{}},
		// The token is still there, under the old name.
		"moving": {func(s *State) {
			s.Object.Status = NewStatus(s, Plan{}, Result{}, nil)
			renamed(s)
			s.Client = ClientSecret{}
		}, nil, times{"12:00:00", "11:00:00", ""}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := steady()
			tc.given(s)
			_, _, status := pass(t, s, tc.err)
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
		s := steady()
		status := NewStatus(s, Plan{Action: ActionIssue}, Result{Failure: &Failure{Reason: "Throttled", Attempted: true, RetryAt: at(retry)}}, nil)
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

// TestStatusNamesTheTarget: where the token is, and the version that a restarted operator need not look into.
func TestStatusNamesTheTarget(t *testing.T) {
	t.Parallel()
	type target struct{ name, version, provider string }
	tests := map[string]struct {
		given func(*State)
		want  target
	}{
		"all is well": {func(*State) {}, target{"etl-token", "t/9", "oauth2"}},
		"edited":      {func(v *State) { holding(editedContent)(v); v.Client = ClientSecret{} }, target{"etl-token", "", "oauth2"}},
		// It was looked into, and need not be after the next start.
		"labelled by others": {func(v *State) { written(v); v.Target.Version, v.Current.Version = "t/10", "t/10" }, target{"etl-token", "t/10", "oauth2"}},
		"made again by a restore": {func(v *State) {
			written(v)
			v.Target.Version, v.Target.Metadata.UID = "u/10", "u"
			v.Current = v.Target
		}, target{"etl-token", "u/10", "oauth2"}},
		"rewritten": {func(v *State) { written(v); unlabel(v); v.Target.Version, v.Current.Version = "t/10", "t/10" }, target{"etl-token", "t/10", "oauth2"}},
		// What is wrong with it would be forgotten by the next process, if status vouched for it.
		"immutable":     {func(v *State) { written(v); holding(func(s *TargetSecret) { s.Unusable = "is immutable" })(v) }, target{"etl-token", "", "oauth2"}},
		"never written": {missing, target{"", "", "oauth2"}},
		"deleted":       {func(v *State) { written(v); missing(v) }, target{"etl-token", "", "oauth2"}},
		"token edited":  {func(v *State) { written(v); holding(replacedContent)(v) }, target{"etl-token", "", "oauth2"}},
		"taken over":    {func(v *State) { written(v); foreign(v) }, target{"etl-token", "", "oauth2"}},
		"moving":        {func(v *State) { written(v); renamed(v); v.Client = ClientSecret{} }, target{"etl-token", "t/9", "oauth2"}},
		"moved": {func(v *State) {
			written(v)
			v.Target.Name, v.Object.Spec.Target.Name = "etl-new", "etl-new"
			v.Current = v.Target
		}, target{"etl-new", "t/9", "oauth2"}},
		"unknown spec":    {func(v *State) { written(v); provide(v, v1alpha1.Provider{}) }, target{"etl-token", "t/9", "oauth2"}},
		"another one":     {func(v *State) { written(v); basic(v) }, target{"etl-token", "t/9", "basic"}},
		"suspended":       {suspended, target{"etl-token", "t/9", "oauth2"}},
		"suspended, gone": {func(v *State) { written(v); suspended(v); missing(v) }, target{"etl-token", "", "oauth2"}},
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
func written(s *State) { s.Object.Status = NewStatus(s, Plan{}, Result{}, nil) }

func TestStatusNamesGrantedScopesThatDiffer(t *testing.T) {
	t.Parallel()
	s := steady()
	s.Current.Persisted.Granted = []string{"read", "write"}
	written(s)
	if diff := cmp.Diff([]string{"read", "write"}, s.Object.Status.GrantedScopes); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	s.Current.Persisted.Granted = nil
	if written(s); s.Object.Status.GrantedScopes != nil {
		t.Errorf("an endpoint that names none has granted what was asked for: got %q", s.Object.Status.GrantedScopes)
	}
}

// TestStatusCountsFailures: attempts are counted and remembered with what they were made of; what was no attempt clears both, unless it only
// waits.
func TestStatusCountsFailures(t *testing.T) {
	t.Parallel()
	asked := steady().Desired.SpecHash
	first := &v1alpha1.Attempt{Generation: 3, Asked: asked, ClientSecretVersion: "c/7"}
	// sent is one that the endpoint has answered just now.
	sent := func(change func(*v1alpha1.Attempt)) *v1alpha1.Attempt {
		a := &v1alpha1.Attempt{Generation: 3, Asked: asked, ClientSecretVersion: "c/7", Time: second("11:17:43")}
		change(a)
		return a
	}
	outage, refusal := func(*v1alpha1.Attempt) {}, func(a *v1alpha1.Attempt) { a.Rejected = true }
	tests := map[string]struct {
		given    func(*State)
		err      error
		failures int32
		attempt  *v1alpha1.Attempt
	}{
		"the first":                   {missing, unavailable(), 1, sent(outage)},
		"the second":                  {func(s *State) { missing(s); failed(s, "EndpointUnavailable", "11:00:00") }, unavailable(), 2, sent(outage)},
		"of another kind":             {func(s *State) { missing(s); failed(s, "EndpointUnavailable", "11:00:00") }, rejected(), 1, sent(refusal)},
		"of a new generation":         {func(s *State) { missing(s); failed(s, "CredentialsRejected", "11:30:00"); s.Object.Generation = 4 }, rejected(), 2, sent(func(a *v1alpha1.Attempt) { a.Rejected, a.Generation = true, 4 })},
		"of a new client Secret":      {func(s *State) { missing(s); failed(s, "CredentialsRejected", "11:30:00"); s.Client.Version = "c/8" }, rejected(), 2, sent(func(a *v1alpha1.Attempt) { a.Rejected, a.ClientSecretVersion = true, "c/8" })},
		"between two seconds":         {func(s *State) { missing(s); s.Now = at("11:17:43.001") }, unavailable(), 1, sent(func(a *v1alpha1.Attempt) { a.Time = second("11:17:44") })},
		"because of a 401 of the API": {func(s *State) { s.Rejected = true }, unavailable(), 1, sent(func(a *v1alpha1.Attempt) { a.TokenRejected = true })},
		"nothing was sent":            {missing, &missingKeyError{}, 1, first},
		"nothing was sent, and before it was": {func(s *State) {
			missing(s)
			failed(s, "CredentialsRejected", "11:00:00")
			lastAskedAt(s, "11:16:00", true)
		}, &missingKeyError{}, 1, sent(func(a *v1alpha1.Attempt) {
			a.Time, a.Rejected = second("11:16:00"), true
		})},
		"waited out": {func(s *State) { missing(s); failed(s, "CredentialsRejected", "11:30:00") }, nil, 1, first},
		"waited out, another generation, throttled": {func(s *State) { missing(s); failed(s, "Throttled", "11:30:00"); s.Object.Generation = 4 }, nil, 1, first},
		"an obstacle": {func(s *State) { missing(s); failed(s, "CredentialsRejected", "11:30:00"); s.Client = ClientSecret{} }, nil, 0, nil},
		"an obstacle, after an attempt": {func(s *State) {
			missing(s)
			failed(s, "CredentialsRejected", "11:30:00")
			lastAskedAt(s, "11:17:40", true)
			s.Client = ClientSecret{}
		}, nil, 0, sent(func(a *v1alpha1.Attempt) {
			a.Time, a.Rejected, a.Superseded = second("11:17:40"), true, true
		})},
		"the budget, in between": {func(s *State) { missing(s); failed(s, "EndpointUnavailable", "11:00:00"); budget(s, 1, 1) }, nil, 1, first},
		"suspended":              {func(s *State) { missing(s); failed(s, "EndpointUnavailable", "11:20:00"); suspended(s) }, nil, 1, first},
		"a success":              {func(s *State) { failed(s, "EndpointUnavailable", "11:00:00") }, nil, 0, nil},
		"basic, in between": {func(s *State) {
			failed(s, "CredentialsRejected", "11:30:00")
			lastAskedAt(s, "11:17:00", true)
			basic(s)
			missing(s)
			s.Object.Generation = 4
		}, nil, 0, sent(func(a *v1alpha1.Attempt) {
			a.Time, a.Rejected, a.Superseded = second("11:17:00"), true, true
		})},
		"a rewrite beside it": {func(s *State) { s.Difference = Different; failed(s, "EndpointUnavailable", "11:20:00"); unlabel(s) }, nil, 1, first},
		"a rewrite, and nothing is due any more, just now": {func(s *State) {
			failed(s, "CredentialsRejected", "11:30:00")
			lastAskedAt(s, "11:17:00", true)
			unlabel(s)
		}, nil, 0, sent(func(a *v1alpha1.Attempt) {
			a.Time, a.Rejected, a.Superseded = second("11:17:00"), true, true
		})},
		"nothing is due any more": {func(s *State) { failed(s, "EndpointUnavailable", "11:20:00") }, nil, 0, nil},
		"nothing is due any more, just now": {func(s *State) { failed(s, "CredentialsRejected", "11:30:00"); lastAskedAt(s, "11:17:00", true) }, nil, 0, sent(func(a *v1alpha1.Attempt) {
			a.Time, a.Rejected, a.Superseded = second("11:17:00"), true, true
		})},
		"nothing is due any more, a minute ago": {func(s *State) { failed(s, "CredentialsRejected", "11:30:00"); lastAskedAt(s, "11:16:43", true) }, nil, 0, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := steady()
			tc.given(s)
			_, _, status := pass(t, s, tc.err)
			if diff := cmp.Diff(tc.attempt, status.LastAttempt); diff != "" || status.Failures != tc.failures {
				t.Errorf("%d failures, want %d; the last attempt, -want +got:\n%s", status.Failures, tc.failures, diff)
			}
		})
	}
}

// TestTokenEndsTheFailedAttempt: a token ends what was remembered of a failed attempt, however little time has passed since.
func TestTokenEndsTheFailedAttempt(t *testing.T) {
	t.Parallel()
	s := steady()
	failed(s, "CredentialsRejected", "11:30:00")
	lastAskedAt(s, "11:17:00", true)
	issued(s)
	if status := NewStatus(s, Plan{Action: ActionIssue}, Result{Wrote: true}, nil); status.LastAttempt != nil {
		t.Errorf("got %+v", status.LastAttempt)
	}
}

// TestStatusKeepsTheFailureWhileItWaits: while a failure is waited out, what was said of it stays word for word, and is said to be true of the new generation.
func TestStatusKeepsTheFailureWhileItWaits(t *testing.T) {
	t.Parallel()
	s := steady()
	missing(s)
	s.Object.Status.Conditions = []metav1.Condition{
		{Type: "Refreshed", Status: "False", Reason: "Throttled", Message: "as before (correlation id abc)", ObservedGeneration: 3},
		{Type: "Reconciling", Status: "True", Reason: "Throttled", Message: "as before (correlation id abc)", ObservedGeneration: 3},
	}
	s.Object.Status.LastAttempt = &v1alpha1.Attempt{Generation: 3, Asked: s.Desired.SpecHash, ClientSecretVersion: "c/7"}
	s.Object.Status.NextRefreshTime = second("11:30:00")
	s.Object.Generation = 4
	_, _, status := pass(t, s, nil)
	want := []metav1.Condition{
		{Type: "Refreshed", Status: "False", Reason: "Throttled", Message: "as before (correlation id abc)", ObservedGeneration: 4},
		{Type: "Reconciling", Status: "True", Reason: "Throttled", Message: "as before (correlation id abc)", ObservedGeneration: 4},
		{Type: "Ready", Status: "False", Reason: "NoToken", Message: "The target Secret holds no token yet: see the condition Refreshed", ObservedGeneration: 4, LastTransitionTime: *second("11:17:43")},
	}
	if diff := cmp.Diff(want, status.Conditions); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestStatusKeepsTheFirstCorrelationID: the first correlation id since the reason appeared stays, so that the message does not flap.
func TestStatusKeepsTheFirstCorrelationID(t *testing.T) {
	t.Parallel()
	s := steady()
	missing(s)
	attempt := func(status int, correlation string) string {
		s.Now = s.Now.Add(time.Hour)
		s.Object.Status = NewStatus(s, Plan{Action: ActionIssue}, Result{Failure: failureOf(s, &exchange.Error{
			Kind: exchange.Unavailable, Status: status, Detail: "it failed", CorrelationID: correlation,
		}, 0.5)}, nil)
		refreshed, reconciling := meta.FindStatusCondition(s.Object.Status.Conditions, "Refreshed"), meta.FindStatusCondition(s.Object.Status.Conditions, "Reconciling")
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
		{503, "abc", "auth.example.com: it failed: HTTP 503; the operator retries (correlation id abc)"},
		{503, "def", "auth.example.com: it failed: HTTP 503; the operator retries (correlation id abc)"},
		{503, "", "auth.example.com: it failed: HTTP 503; the operator retries (correlation id abc)"},
		{502, "ghi", "auth.example.com: it failed: HTTP 502; the operator retries (correlation id abc)"},
		{500, "", "auth.example.com: it failed: HTTP 500; the operator retries (correlation id abc)"},
	} {
		if got := attempt(tc.status, tc.correlation); got != tc.want {
			t.Errorf("%d: got  %s\nwant %s", i, got, tc.want)
		}
	}
	// A success in between ends it.
	s.Object.Status = NewStatus(s, Plan{}, Result{}, nil)
	if got, want := attempt(500, "mno"), "auth.example.com: it failed: HTTP 500; the operator retries (correlation id mno)"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	// Another reason does, too; a change of the object alone does not.
	s.Object.Generation = 4
	if got, want := attempt(500, "pqr"), "auth.example.com: it failed: HTTP 500; the operator retries (correlation id mno)"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestStatusOfASecondReconcileIsEqual: a second pass over the same state has nothing to patch.
func TestStatusOfASecondReconcileIsEqual(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		given func(*State)
		err   error
	}{
		"all is well":    {func(*State) {}, nil},
		"basic":          {basic, nil},
		"suspended":      {suspended, nil},
		"foreign target": {foreign, nil},
		"no consent":     {func(s *State) { s.Client.AllowedHosts = "" }, nil},
		"refused":        {missing, rejected()},
		"outage":         {func(s *State) { s.Difference = Different }, unavailable()},
		"budget":         {func(s *State) { s.Difference = Different; budget(s, 1, 1) }, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := steady()
			tc.given(s)
			_, _, first := pass(t, s, tc.err)
			s.Object.Status = *first.DeepCopy()
			s.Now = s.Now.Add(300 * time.Millisecond)
			plan, _, second := pass(t, s, tc.err)
			if diff := cmp.Diff(first, second); diff != "" || plan.Action != ActionNone {
				t.Errorf("the second pass plans %d and reports, -first +second:\n%s", plan.Action, diff)
			}
		})
	}
}

// TestStatusKeepsTheLargerIssuance: of what status and the record say of one day the larger counts, and of two days the later.
func TestStatusKeepsTheLargerIssuance(t *testing.T) {
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
			s := steady()
			s.Object.Status.Issuance, s.Current.Persisted.Issuance = tc.status, tc.record
			got := NewStatus(s, Plan{}, Result{}, nil)
			if diff := cmp.Diff(tc.want, got.Issuance); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if got.Issuance != nil && got.Issuance == tc.record {
				t.Error("status shares its count with the record")
			}
		})
	}
}

// TestRefreshRequestIsAnsweredOnce: a request is handled when it was tried, pending until a token has come of it, and answered once.
func TestRefreshRequestIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	v := steady()
	request(v, "today")
	check := func(when, handled string, pending bool) {
		t.Helper()
		if s := v.Object.Status; s.LastHandledRefreshRequest != handled || s.RefreshPending != pending {
			t.Errorf("%s: handled %q, pending: %t; want %q, %t", when, s.LastHandledRefreshRequest, s.RefreshPending, handled, pending)
		}
	}
	plan := Decide(v)
	v.Object.Status = NewStatus(v, plan, Result{Waiting: true}, nil)
	check("at the gate", "", false)

	_, _, v.Object.Status = pass(t, v, unavailable())
	check("after the first attempt", "today", true)

	plan, _, v.Object.Status = pass(t, v, nil)
	check("waiting for the second", "today", true)
	if !plan.Keep {
		t.Error("the failure is not waited out")
	}

	// A spent budget is no attempt.
	v.Now = at("11:18:00")
	budget(v, 1, 1)
	if _, result, status := pass(t, v, nil); result.Failure.Reason != "BudgetSpent" || !status.RefreshPending {
		t.Errorf("got %s, pending: %t", result.Failure.Reason, status.RefreshPending)
	}
	v.Object.Spec.Refresh = nil

	_, _, v.Object.Status = pass(t, v, unavailable())
	check("after the second", "today", true)
	if v.Object.Status.Failures != 2 {
		t.Errorf("%d failures", v.Object.Status.Failures)
	}

	v.Now = at("11:19:00")
	if plan = Decide(v); plan.Action != ActionIssue || plan.Cause != "Requested" {
		t.Fatalf("got %+v", decided(plan))
	}
	issued(v)
	v.Object.Status = NewStatus(v, plan, Result{Wrote: true}, nil)
	check("after the token", "today", false)

	v.Now = at("11:20:00")
	if plan = Decide(v); plan.Action != ActionNone {
		t.Errorf("answered twice: %+v", decided(plan))
	}
	// Status may be lost: the record knows.
	v.Object.Status = v1alpha1.CDPCredentialStatus{}
	if plan = Decide(v); plan.Action != ActionNone {
		t.Errorf("answered again after status was lost: %+v", decided(plan))
	}
	v.Object.Status = NewStatus(v, plan, Result{}, nil)
	check("after status was lost", "today", false)

	// Taking the annotation away asks for nothing; putting another one does.
	v.Object.Annotations = nil
	if plan = Decide(v); plan.Action != ActionNone {
		t.Errorf("got %+v", decided(plan))
	}
	request(v, "tomorrow")
	if plan = Decide(v); plan.Action != ActionIssue {
		t.Errorf("got %+v", decided(plan))
	}

	// A renewal that fails handles the request that came meanwhile, but pends nothing: it is due anyway.
	v = steady()
	v.Now = at("11:50:00")
	request(v, "today")
	_, _, v.Object.Status = pass(t, v, unavailable())
	check("after a renewal's failure", "today", false)
}

// TestStatusKeepsTheLastVerification: the API's word stays until there is another one, and goes with spec.verify.
func TestStatusKeepsTheLastVerification(t *testing.T) {
	t.Parallel()
	accepted := &Verification{Status: "True", Reason: "Verified", Message: "The API accepts the token"}
	forbidden := &Verification{Status: "False", Reason: "InsufficientScope", Message: "x", Correlation: "abc"}
	undecided := &Verification{Status: "Unknown", Reason: "EndpointUnavailable", Message: "x", Undecided: true}
	tests := map[string]struct {
		spec  bool
		first *Verification
		then  *Verification
		want  []string
	}{
		"not tried":                   {true, nil, nil, nil},
		"accepted":                    {true, nil, accepted, []string{"Verified=True Verified"}},
		"not tried again":             {true, accepted, nil, []string{"Verified=True Verified"}},
		"forbidden":                   {true, accepted, forbidden, []string{"Verified=False InsufficientScope"}},
		"accepted again":              {true, forbidden, accepted, []string{"Verified=True Verified"}},
		"no word":                     {true, accepted, undecided, []string{"Verified=True Verified"}},
		"no word, and there was none": {true, nil, undecided, []string{"Verified=Unknown EndpointUnavailable"}},
		"no word, and it was not allowed to be tried": {true, &Verification{Status: "False", Reason: "HostNotAllowed", Message: "x"}, undecided, []string{"Verified=Unknown EndpointUnavailable"}},
		"no word, and its CA was no good":             {true, &Verification{Status: "Unknown", Reason: "SecretKeyInvalid", Message: "x"}, undecided, []string{"Verified=Unknown EndpointUnavailable"}},
		"could not be tried at all":                   {true, nil, &Verification{Undecided: true}, nil},
		"no longer wanted":                            {false, accepted, nil, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := steady()
			s.Object.Spec.Verify = &v1alpha1.Verify{URL: "https://api.example.com"}
			s.Object.Status = NewStatus(s, Plan{}, Result{}, tc.first)
			if !tc.spec {
				s.Object.Spec.Verify = nil
			}
			want := append([]string{"Ready=True TokenValid", "Refreshed=True TokenIssued"}, tc.want...)
			if diff := cmp.Diff(want, conditionLines(NewStatus(s, Plan{}, Result{}, tc.then))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	t.Run("no longer wanted, while suspended", func(t *testing.T) {
		t.Parallel()
		s := steady()
		s.Object.Spec.Verify = &v1alpha1.Verify{URL: "https://api.example.com"}
		s.Object.Status = NewStatus(s, Plan{}, Result{}, forbidden)
		suspended(s)
		if got := conditionLines(NewStatus(s, Plan{}, Result{}, nil)); !slices.Contains(got, "Verified=False InsufficientScope") {
			t.Errorf("got %q", got)
		}
		s.Object.Spec.Verify = nil
		if diff := cmp.Diff([]string{"Ready=True Suspended", "Refreshed=True TokenIssued"}, conditionLines(NewStatus(s, Plan{}, Result{}, nil))); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
	t.Run("401, and no new token is to be had", func(t *testing.T) {
		t.Parallel()
		s := steady()
		s.Object.Spec.Verify = &v1alpha1.Verify{URL: "https://api.example.com"}
		s.Rejected = true
		_, _, status := pass(t, s, unavailable())
		want := []string{"Ready=True TokenValid", "Refreshed=False EndpointUnavailable", "Verified=False TokenRejected", "Reconciling=True EndpointUnavailable"}
		if diff := cmp.Diff(want, conditionLines(status)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
	t.Run("the first correlation id stays", func(t *testing.T) {
		t.Parallel()
		s := steady()
		s.Object.Spec.Verify = &v1alpha1.Verify{URL: "https://api.example.com"}
		s.Object.Status = NewStatus(s, Plan{}, Result{}, forbidden)
		again := *forbidden
		again.Correlation = "def"
		status := NewStatus(s, Plan{}, Result{}, &again)
		if got := meta.FindStatusCondition(status.Conditions, "Verified").Message; got != "x (correlation id abc)" {
			t.Errorf("got %q", got)
		}
	})
}

// TestNewStatusChangesNoState: report is pure, above all with what the cache shares with others.
func TestNewStatusChangesNoState(t *testing.T) {
	t.Parallel()
	s := steady()
	failed(s, "CredentialsRejected", "11:30:00")
	s.Difference = Different
	before := s.Object.DeepCopy()
	pass(t, s, rejected())
	s.Object.Generation = 3
	if diff := cmp.Diff(before, s.Object); diff != "" {
		t.Errorf("-before +after:\n%s", diff)
	}
}

// TestReadyIsStaleOnceTheTokenIsGone: consumers are told that the token is gone before the endpoint is asked for another one.
func TestReadyIsStaleOnceTheTokenIsGone(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given func(*State)
		want  bool
	}{
		"all is well":      {written, false},
		"expired":          {func(s *State) { written(s); s.Now = at("12:00:00") }, true},
		"edited":           {func(s *State) { written(s); holding(replacedContent)(s) }, true},
		"deleted":          {func(s *State) { written(s); missing(s) }, true},
		"told already":     {func(s *State) { written(s); missing(s); reportReady(s, &s.Object.Status) }, false},
		"never was":        {missing, false},
		"moving":           {func(s *State) { written(s); renamed(s) }, false},
		"basic: at once":   {func(s *State) { basic(s); written(s); missing(s) }, false},
		"a renewal is due": {func(s *State) { written(s); s.Now = at("11:50:00") }, false},
	} {
		s := steady()
		tc.given(s)
		if got := readyIsStale(s); got != tc.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}
