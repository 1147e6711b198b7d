// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential/credentialtest"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
)

// decision is a step as the tests below write it down.
type decision struct {
	action string
	cause  Cause
	// reason and retry are the failure's.
	reason, retry string
	keep, early   bool
	at            string
}

func decided(plan Plan) decision {
	d := decision{action: [...]string{"nothing", "rewrite", "issue", "update"}[plan.Action], cause: plan.Cause, keep: plan.Keep, early: plan.Early, at: clockText(plan.At)}
	if plan.Failure != nil {
		d.reason, d.retry = plan.Failure.Reason, clockText(plan.Failure.RetryAt)
	}
	return d
}

// TestDecideFollowsTheDecisionTable is the decision table of design.md section 4, row by row, each row with its neighbours. Every case begins with an object with
// which all is well: the time is 11:17:43, its token was issued at 11:00:00 and expires at 12:00:00, and is renewed 15 minutes and a
// jitter of three minutes before that, at 11:41:59.978638707.
func TestDecideFollowsTheDecisionTable(t *testing.T) {
	t.Parallel()
	type cases map[string]struct {
		given func(*State)
		want  decision
	}
	rows := []struct {
		observed string
		cases    cases
	}{
		{"target missing, or its token key edited or emptied", cases{
			"neither":        {func(*State) {}, decision{action: "nothing"}},
			"target missing": {missing, decision{action: "issue", cause: "Missing"}},
			"token edited":   {holding(replacedContent), decision{action: "issue", cause: "Replaced"}},
			// A Secret that was handed over has no record of ours.
			"no record": {holding(func(s *TargetSecret) { s.Persisted, s.Content = nil, ContentReplaced }), decision{action: "issue", cause: "Replaced"}},
			// What is wrong with the token itself comes first: the cause is kept, and decides what a 401 means.
			"token edited, and renewal time reached": {func(v *State) {
				holding(replacedContent)(v)
				v.Now = at("11:50:00")
			}, decision{action: "issue", cause: "Replaced"}},
			"basic: missing":              {func(v *State) { basic(v); missing(v) }, decision{action: "issue", cause: "Missing"}},
			"basic: authorization edited": {func(v *State) { basic(v); holding(replacedContent)(v) }, decision{action: "issue", cause: "Replaced"}},
		}},
		{"renewal time reached", cases{
			"a nanosecond before":  {func(v *State) { v.Now = at("11:41:59.978638706") }, decision{action: "nothing"}},
			"that very nanosecond": {func(v *State) { v.Now = at("11:41:59.978638707") }, decision{action: "issue", cause: "Renewal"}},
			"a nanosecond after":   {func(v *State) { v.Now = at("11:41:59.978638708") }, decision{action: "issue", cause: "Renewal"}},
			"expired":              {func(v *State) { v.Now = at("12:34:56") }, decision{action: "issue", cause: "Renewal"}},
			// refresh.before takes the place of the quarter.
			"before of 10m, a nanosecond before": {func(v *State) { renewBefore(v, 10*time.Minute); v.Now = at("11:46:59.978638706") }, decision{action: "nothing"}},
			"before of 10m":                      {func(v *State) { renewBefore(v, 10*time.Minute); v.Now = at("11:46:59.978638707") }, decision{action: "issue", cause: "Renewal"}},
			// However long before is, half of the lifetime is left: 11:30 and the jitter.
			"before of 3h, a nanosecond before": {func(v *State) { renewBefore(v, 3*time.Hour); v.Now = at("11:26:59.978638706") }, decision{action: "nothing"}},
			"before of 3h":                      {func(v *State) { renewBefore(v, 3*time.Hour); v.Now = at("11:26:59.978638707") }, decision{action: "issue", cause: "Renewal"}},
			"basic is never renewed":            {func(v *State) { basic(v); v.Now = at("11:17:43").AddDate(20, 0, 0) }, decision{action: "nothing"}},
			"renewal and a change at once":      {func(v *State) { v.Difference = Different; v.Now = at("11:50:00") }, decision{action: "issue", cause: "Renewal"}},
			"renewal and a rewrite at once":     {func(v *State) { holding(editedContent)(v); v.Now = at("11:50:00") }, decision{action: "issue", cause: "Renewal"}},
		}},
		{"what would be sent has changed", cases{
			"something else than resources": {func(v *State) { v.Difference = Different }, decision{action: "issue", cause: "Changed"}},
			"basic":                         {func(v *State) { basic(v); v.Difference = Different }, decision{action: "issue", cause: "Changed"}},
			// Its first token is no routine renewal.
			"no longer basic": {func(v *State) {
				v.Current.Persisted.IssuedAt, v.Current.Persisted.ExpiresAt = time.Time{}, time.Time{}
				v.Difference = Different
			}, decision{action: "issue", cause: "Changed"}},

			"algonomy: only resources":                 {func(v *State) { algonomy(v); v.Difference = UpdatableOnly }, decision{action: "update", cause: "Changed"}},
			"algonomy: resources and something else":   {func(v *State) { algonomy(v); v.Difference = Different }, decision{action: "issue", cause: "Changed"}},
			"algonomy: only resources, update refused": {func(v *State) { algonomy(v); v.Difference, v.UpdateRefused = UpdatableOnly, true }, decision{action: "issue", cause: "Changed"}},
			// An update is no new token, so that one that is due is not put off by it.
			"algonomy: only resources, a nanosecond before renewal": {func(v *State) {
				algonomy(v)
				v.Difference, v.Now = UpdatableOnly, at("11:41:59.978638706")
			}, decision{action: "update", cause: "Changed"}},
			"algonomy: only resources, renewal time reached": {func(v *State) {
				algonomy(v)
				v.Difference, v.Now = UpdatableOnly, at("11:41:59.978638707")
			}, decision{action: "issue", cause: "Renewal"}},
			"algonomy: only resources, held token expired": {func(v *State) {
				algonomy(v)
				v.Difference, v.Now = UpdatableOnly, at("12:00:00")
			}, decision{action: "issue", cause: "Renewal"}},
			// One new token serves both.
			"algonomy: only resources, and a refresh requested": {func(v *State) {
				algonomy(v)
				v.Difference = UpdatableOnly
				request(v, "once")
			}, decision{action: "issue", cause: "Changed"}},
			"algonomy: only resources, and a refresh pending": {func(v *State) {
				algonomy(v)
				v.Difference, v.Object.Status.RefreshPending = UpdatableOnly, true
			}, decision{action: "issue", cause: "Changed"}},
			// The minimum interval and the budget are about tokens issued.
			"algonomy: an update does not wait": {func(v *State) {
				algonomy(v)
				v.Difference = UpdatableOnly
				v.Current.Persisted.IssuedAt = at("11:17:40")
				budget(v, 1, 1)
			}, decision{action: "update", cause: "Changed"}},
		}},
		{"annotation refresh-requested-at differs from status.lastHandledRefreshRequest", cases{
			"no annotation":                   {func(v *State) { v.Object.Status.LastHandledRefreshRequest = "yesterday" }, decision{action: "nothing"}},
			"the first":                       {func(v *State) { request(v, "today") }, decision{action: "issue", cause: "Requested"}},
			"a new one":                       {func(v *State) { request(v, "today"); v.Object.Status.LastHandledRefreshRequest = "yesterday" }, decision{action: "issue", cause: "Requested"}},
			"an older one, but another":       {func(v *State) { request(v, "yesterday"); v.Object.Status.LastHandledRefreshRequest = "today" }, decision{action: "issue", cause: "Requested"}},
			"handled":                         {func(v *State) { request(v, "today"); v.Object.Status.LastHandledRefreshRequest = "today" }, decision{action: "nothing"}},
			"handled, but status was lost":    {func(v *State) { request(v, "today"); v.Current.Persisted.HandledRequest = "today" }, decision{action: "nothing"}},
			"basic":                           {func(v *State) { basic(v); request(v, "today") }, decision{action: "issue", cause: "Requested"}},
			"basic, handled":                  {func(v *State) { basic(v); request(v, "today"); v.Object.Status.LastHandledRefreshRequest = "today" }, decision{action: "nothing"}},
			"of 256 bytes, handled":           {func(v *State) { request(v, strings.Repeat("x", 256)); handled(v, strings.Repeat("x", 256)) }, decision{action: "nothing"}},
			"longer, and handled as cut":      {func(v *State) { request(v, strings.Repeat("x", 300)); handled(v, strings.Repeat("x", 256)) }, decision{action: "nothing"}},
			"cut inside a character, handled": {func(v *State) { request(v, strings.Repeat("x", 255)+"é"); handled(v, strings.Repeat("x", 255)) }, decision{action: "nothing"}},
			// A request counts as handled when it was tried; if that failed, retries follow the failure table.
			"tried, failed, to be tried again": {func(v *State) {
				request(v, "today")
				handled(v, "today")
				v.Object.Status.RefreshPending = true
				failed(v, "EndpointUnavailable", "11:17:44")
			}, decision{action: "nothing", cause: "Requested", keep: true, at: "11:17:44"}},
			"tried, failed, and then issued, which status does not know": {func(v *State) {
				request(v, "today")
				handled(v, "today")
				v.Object.Status.RefreshPending, v.Object.Status.LastRefreshTime = true, second("10:59:59")
				failed(v, "EndpointUnavailable", "11:17:43")
			}, decision{action: "nothing"}},
			"tried, failed, and nothing issued since": {func(v *State) {
				request(v, "today")
				handled(v, "today")
				v.Object.Status.RefreshPending, v.Object.Status.LastRefreshTime = true, second("11:00:00")
				living(v, "11:00:00.999", "12:00:00")
				failed(v, "EndpointUnavailable", "11:17:43")
			}, decision{action: "issue", cause: "Requested"}},
			"tried, failed, and its time has come": {func(v *State) {
				request(v, "today")
				handled(v, "today")
				v.Object.Status.RefreshPending = true
				failed(v, "EndpointUnavailable", "11:17:43")
			}, decision{action: "issue", cause: "Requested"}},
			"a new one while Stalled": {func(v *State) {
				request(v, "today")
				v.Object.Status.RefreshPending = true
				failed(v, "CredentialsRejected", "11:30:00")
			}, decision{action: "issue", cause: "Requested"}},
			"a new one while Stalled, and a renewal is due": {func(v *State) {
				request(v, "today")
				v.Now = at("11:50:00")
				failed(v, "CredentialsRejected", "11:55:00")
			}, decision{action: "issue", cause: "Renewal"}},
			"a new one while Stalled, and there is no token": {func(v *State) {
				request(v, "today")
				missing(v)
				failed(v, "CredentialsRejected", "11:55:00")
			}, decision{action: "issue", cause: "Missing"}},
			"a new one while Stalled until a change": {func(v *State) {
				request(v, "today")
				failed(v, "SecretKeyMissing", "")
			}, decision{action: "issue", cause: "Requested"}},
			"a new one while an outage is waited out": {func(v *State) {
				request(v, "today")
				failed(v, "EndpointUnavailable", "11:20:00")
			}, decision{action: "issue", cause: "Requested"}},
			// Nobody may talk an operator out of a Retry-After.
			"a new one while Throttled": {func(v *State) {
				request(v, "today")
				failed(v, "Throttled", "11:20:00")
			}, decision{action: "nothing", cause: "Requested", keep: true, at: "11:20:00"}},
		}},
		{"verify got a 401", cases{
			"once":                  {func(v *State) { v.Rejected = true }, decision{action: "issue", cause: "Rejected"}},
			"to the new token, too": {func(v *State) { v.Rejected, v.Current.Persisted.Cause = true, "Rejected" }, decision{action: "nothing"}},
			"to the new token, too, until the renewal": {func(v *State) {
				v.Rejected, v.Current.Persisted.Cause, v.Now = true, "Rejected", at("11:41:59.978638707")
			}, decision{action: "issue", cause: "Renewal"}},
			"to the new token, too, until a change":         {func(v *State) { v.Rejected, v.Current.Persisted.Cause, v.Difference = true, "Rejected", Different }, decision{action: "issue", cause: "Changed"}},
			"to the new token, too, but one is asked for":   {func(v *State) { v.Rejected, v.Current.Persisted.Cause = true, "Rejected"; request(v, "today") }, decision{action: "issue", cause: "Requested"}},
			"to the new token, too, and labels are drifted": {func(v *State) { v.Rejected, v.Current.Persisted.Cause = true, "Rejected"; unlabel(v) }, decision{action: "rewrite"}},
			"basic: there is no other":                      {func(v *State) { basic(v); v.Rejected = true }, decision{action: "nothing"}},
		}},
		{"template, labels, annotations changed, or other data keys edited", cases{
			"other data keys edited": {holding(editedContent), decision{action: "rewrite"}},
			"template added": {func(v *State) {
				v.Object.Spec.Target.Data = map[string]v1alpha1.DataTemplate{"auth": "Bearer {{ .token }}"}
			}, decision{action: "rewrite"}},
			"label added":      {func(v *State) { v.Object.Spec.Target.Labels = map[string]v1alpha1.LabelValue{"team": "red"} }, decision{action: "rewrite"}},
			"annotation added": {func(v *State) { v.Object.Spec.Target.Annotations = map[string]v1alpha1.AnnotationValue{"team": "red"} }, decision{action: "rewrite"}},
			"deletion policy":  {func(v *State) { v.Object.Spec.Target.DeletionPolicy = "Retain" }, decision{action: "rewrite"}},
			// The default, written out, is no change.
			"deletion policy Delete":            {func(v *State) { v.Object.Spec.Target.DeletionPolicy = "Delete" }, decision{action: "nothing"}},
			"label removed on the Secret":       {unlabel, decision{action: "rewrite"}},
			"label changed on the Secret":       {func(v *State) { v.Target.Metadata.Labels["app.kubernetes.io/managed-by"] = "helm" }, decision{action: "rewrite"}},
			"expires-at edited":                 {func(v *State) { v.Target.Metadata.Annotations["cdpcredentials.io/expires-at"] = "2099-01-01T00:00:00Z" }, decision{action: "rewrite"}},
			"expires-at removed":                {func(v *State) { delete(v.Target.Metadata.Annotations, "cdpcredentials.io/expires-at") }, decision{action: "rewrite"}},
			"owner reference removed":           {func(v *State) { v.Target.Metadata.OwnerReferences = nil }, decision{action: "rewrite"}},
			"owner reference of another UID":    {func(v *State) { v.Target.Metadata.OwnerReferences[0].UID = "of-before-the-restore" }, decision{action: "rewrite"}},
			"owner reference of older version":  {func(v *State) { v.Target.Metadata.OwnerReferences[0].APIVersion = "cdpcredentials.io/v1alpha0" }, decision{action: "rewrite"}},
			"owner reference no controller any": {func(v *State) { v.Target.Metadata.OwnerReferences[0].Controller = nil }, decision{action: "rewrite"}},
			// The owner was unset, or a backup has been restored without it: with Retain there is none to be missed.
			"owner reference, but Retain": {func(v *State) { retain(v); v.Target.Metadata.OwnerReferences = ownedByUs() }, decision{action: "rewrite"}},
			"no owner reference, Retain":  {retain, decision{action: "nothing"}},
			// The times on it are those of another clock.
			"the clock was set":                           {func(v *State) { v.ClockAhead = -time.Hour }, decision{action: "rewrite"}},
			"the clock was set by half a minute":          {func(v *State) { v.ClockAhead = 30 * time.Second }, decision{action: "rewrite"}},
			"the clock was set by less":                   {func(v *State) { v.ClockAhead = -29 * time.Second }, decision{action: "nothing"}},
			"the clock was set before it was written":     {func(v *State) { writtenAhead(v, -time.Hour) }, decision{action: "nothing"}},
			"the clock was set right again":               {func(v *State) { writtenAhead(v, -time.Hour); v.ClockAhead = 0 }, decision{action: "rewrite"}},
			"the clock was set, basic":                    {func(v *State) { basic(v); v.ClockAhead = -time.Hour }, decision{action: "nothing"}},
			"renamed target, the old one holds the token": {renamed, decision{action: "rewrite"}},
			// observe takes the old target only if its token is alive.
			"renamed target, the old token is dead": {func(v *State) {
				renamed(v)
				v.Current = v.Target
			}, decision{action: "issue", cause: "Missing"}},
			"renamed target, and a change":  {func(v *State) { renamed(v); v.Difference = Different }, decision{action: "issue", cause: "Changed"}},
			"renamed target, renewal time":  {func(v *State) { renamed(v); v.Now = at("11:50:00") }, decision{action: "issue", cause: "Renewal"}},
			"basic: other data keys edited": {func(v *State) { basic(v); holding(editedContent)(v) }, decision{action: "issue", cause: "Changed"}},
			"basic: label added":            {func(v *State) { basic(v); v.Object.Spec.Target.Labels = map[string]v1alpha1.LabelValue{"team": "red"} }, decision{action: "issue", cause: "Changed"}},
			"basic: renamed target":         {func(v *State) { basic(v); renamed(v) }, decision{action: "issue", cause: "Changed"}},
		}},
		{"metadata of the CDPCredential or of the client Secret changed", cases{
			"the object's labels and annotations": {func(v *State) {
				v.Object.Labels, v.Object.Annotations = map[string]string{"argocd.argoproj.io/instance": "x"}, map[string]string{"note": "x"}
				v.Object.ResourceVersion = "99"
			}, decision{action: "nothing"}},
			"the client Secret's":                   {func(v *State) { v.Client.Version = "c/8" }, decision{action: "nothing"}},
			"the client Secret's, more consent":     {func(v *State) { v.Client.AllowedHosts = "auth.example.com, *.example.org:8443" }, decision{action: "nothing"}},
			"further metadata of the target Secret": {foreignMetadata, decision{action: "nothing"}},
			// It was made again, with the same values.
			"the client Secret's, while a refusal is waited out": {func(v *State) {
				v.Difference = Different
				failed(v, "CredentialsRejected", "11:30:00")
				v.Client.Version, v.AttemptUnchanged = "c/8", true
			}, decision{action: "nothing", cause: "Changed", keep: true, at: "11:30:00"}},
			"the client Secret's values, while a refusal is waited out": {func(v *State) {
				v.Difference = Different
				failed(v, "CredentialsRejected", "11:30:00")
				v.Client.Version = "c/8"
			}, decision{action: "issue", cause: "Changed"}},
		}},
		{"operator restarted, leader changed", cases{
			"with its status":           {func(v *State) { v.Object.Status.TargetName, v.Object.Status.TargetVersion = "etl-token", "t/9" }, decision{action: "nothing"}},
			"status lost":               {func(v *State) { v.Object.Status = v1alpha1.CDPCredentialStatus{} }, decision{action: "nothing"}},
			"while a failure waits":     {func(v *State) { v.Now = at("11:50:00"); failed(v, "CredentialsRejected", "11:55:00") }, decision{action: "nothing", cause: "Renewal", keep: true, at: "11:55:00"}},
			"while Throttled for hours": {func(v *State) { missing(v); failed(v, "Throttled", "23:00:00") }, decision{action: "nothing", cause: "Missing", keep: true, at: "23:00:00"}},
		}},
		{"suspend: true", cases{
			"all is well":      {suspended, decision{action: "nothing"}},
			"target missing":   {func(v *State) { suspended(v); missing(v) }, decision{action: "nothing"}},
			"renewal":          {func(v *State) { suspended(v); v.Now = at("11:50:00") }, decision{action: "nothing"}},
			"change":           {func(v *State) { suspended(v); v.Difference = Different }, decision{action: "nothing"}},
			"refresh":          {func(v *State) { suspended(v); request(v, "today") }, decision{action: "nothing"}},
			"drift":            {func(v *State) { suspended(v); unlabel(v) }, decision{action: "nothing"}},
			"renamed target":   {func(v *State) { suspended(v); renamed(v) }, decision{action: "nothing"}},
			"no client Secret": {func(v *State) { suspended(v); v.Client = ClientSecret{} }, decision{action: "nothing"}},
			"foreign target":   {func(v *State) { suspended(v); foreign(v) }, decision{action: "nothing"}},
		}},
	}
	for _, row := range rows {
		t.Run(row.observed, func(t *testing.T) {
			t.Parallel()
			for name, tc := range row.cases {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					v := steady()
					tc.given(v)
					if diff := cmp.Diff(tc.want, decided(Decide(v)), cmp.AllowUnexported(decision{})); diff != "" {
						t.Errorf("-want +got:\n%s", diff)
					}
				})
			}
		})
	}
}

// TestDecideFindsBlockersFirst: what somebody has to fix is found without a request, and before anything that is due.
func TestDecideFindsBlockersFirst(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		given func(*State)
		want  decision
	}{
		"foreign target":                           {foreign, decision{action: "nothing", reason: "TargetNotOwned"}},
		"foreign target, and renewal time":         {func(v *State) { foreign(v); v.Now = at("11:50:00") }, decision{action: "nothing", reason: "TargetNotOwned"}},
		"foreign target, and a change":             {func(v *State) { foreign(v); v.Difference = Different }, decision{action: "nothing", reason: "TargetNotOwned"}},
		"foreign target, and a refresh":            {func(v *State) { foreign(v); request(v, "today") }, decision{action: "nothing", reason: "TargetNotOwned"}},
		"foreign target, and nothing else right":   {func(v *State) { foreign(v); v.Client = ClientSecret{}; badTemplate(v) }, decision{action: "nothing", reason: "TargetNotOwned"}},
		"foreign target under the new name":        {func(v *State) { renamed(v); v.Target.Found = true }, decision{action: "nothing", reason: "TargetNotOwned"}},
		"another object's target":                  {func(v *State) { v.Target.Metadata.Annotations["cdpcredentials.io/credential"] = "other" }, decision{action: "nothing", reason: "TargetNotOwned"}},
		"immutable target":                         {holding(func(s *TargetSecret) { s.Unusable = "is immutable" }), decision{action: "nothing", reason: "TargetUnusable"}},
		"immutable target without a token":         {holding(func(s *TargetSecret) { s.Unusable, s.Persisted, s.Content = "is immutable", nil, ContentReplaced }), decision{action: "nothing", reason: "TargetUnusable"}},
		"client Secret missing, held token fine":   {func(v *State) { v.Client = ClientSecret{} }, decision{action: "nothing", reason: "SecretNotFound"}},
		"client Secret missing, renewal time":      {func(v *State) { v.Client = ClientSecret{}; v.Now = at("11:50:00") }, decision{action: "nothing", reason: "SecretNotFound"}},
		"client Secret missing, drift":             {func(v *State) { v.Client = ClientSecret{}; unlabel(v) }, decision{action: "nothing", reason: "SecretNotFound"}},
		"client Secret missing, basic":             {func(v *State) { basic(v); v.Client = ClientSecret{} }, decision{action: "nothing", reason: "SecretNotFound"}},
		"no consent":                               {func(v *State) { v.Client.AllowedHosts = "" }, decision{action: "nothing", reason: "HostNotAllowed"}},
		"no consent, target missing":               {func(v *State) { v.Client.AllowedHosts = ""; missing(v) }, decision{action: "nothing", reason: "HostNotAllowed"}},
		"consent for another host":                 {func(v *State) { v.Client.AllowedHosts = "auth.example.org" }, decision{action: "nothing", reason: "HostNotAllowed"}},
		"consent for another port":                 {func(v *State) { v.Client.AllowedHosts = "auth.example.com:8443" }, decision{action: "nothing", reason: "HostNotAllowed"}},
		"consent that cannot be read":              {func(v *State) { v.Client.AllowedHosts = "auth.example.com,*" }, decision{action: "nothing", reason: "HostNotAllowed"}},
		"consent for the port":                     {func(v *State) { v.Client.AllowedHosts = "auth.example.com:443" }, decision{action: "nothing"}},
		"consent for all below":                    {func(v *State) { v.Client.AllowedHosts = "x, *.example.com" }, decision{action: "nothing"}},
		"consent of the administrator":             {func(v *State) { v.Client.AllowedHosts, v.AllowedHosts = "", hosts("*.example.com") }, decision{action: "nothing"}},
		"the administrator's list has the host":    {func(v *State) { v.TokenHostsOnly = hosts("*.example.com") }, decision{action: "nothing"}},
		"the administrator's list has it not":      {func(v *State) { v.TokenHostsOnly = hosts("example.com") }, decision{action: "nothing", reason: "HostNotAllowed"}},
		"the list has it not, though all consent":  {func(v *State) { v.TokenHostsOnly, v.AllowedHosts = hosts("a.example"), hosts("*.example.com") }, decision{action: "nothing", reason: "HostNotAllowed"}},
		"consent of the administrator for another": {func(v *State) { v.Client.AllowedHosts, v.AllowedHosts = "", hosts("example.com") }, decision{action: "nothing", reason: "HostNotAllowed"}},
		"the vendor's own host needs none":         {func(v *State) { provide(v, v1alpha1.Provider{Apsis: &v1alpha1.Apsis{}}); v.Client.AllowedHosts = "" }, decision{action: "nothing"}},
		"another host than the vendor's needs it":  {func(v *State) { provide(v, apsisAt("https://apsis.example.com")); v.Client.AllowedHosts = "" }, decision{action: "nothing", reason: "HostNotAllowed"}},
		"another vendor's host needs it":           {func(v *State) { provide(v, apsisAt("https://api.experiture.ai")); v.Client.AllowedHosts = "" }, decision{action: "nothing", reason: "HostNotAllowed"}},
		"basic needs none":                         {func(v *State) { basic(v); v.Client.AllowedHosts = "" }, decision{action: "nothing"}},
		"bad template":                             {badTemplate, decision{action: "nothing", reason: "InvalidTemplate"}},
		"bad template costs no exchange":           {func(v *State) { badTemplate(v); missing(v) }, decision{action: "nothing", reason: "InvalidTemplate"}},
		"bad template, and the token has just ended": {func(v *State) {
			badTemplate(v)
			v.Now, v.Repeated = at("12:00:00.5"), true
		}, decision{action: "nothing", reason: "InvalidTemplate"}},
		"bad template that the target was written with": {func(v *State) {
			badTemplate(v)
			v.Current.Persisted.TargetSpecHash = TargetSpecHash(&v.Object.Spec.Target)
		}, decision{action: "nothing"}},
		"bad template costs no renewal": {func(v *State) { badTemplate(v); v.Now = at("11:50:00") }, decision{action: "nothing", reason: "InvalidTemplate"}},
		"template that decides on a secret": {func(v *State) {
			v.Object.Spec.Target.Data = map[string]v1alpha1.DataTemplate{"x": `{{ if lt .token "m" }}x{{ end }}`}
		}, decision{action: "nothing", reason: "InvalidTemplate"}},
		"template with a function that is not there": {func(v *State) { v.Object.Spec.Target.Data = map[string]v1alpha1.DataTemplate{"x": "{{ env }}"} }, decision{action: "nothing", reason: "InvalidTemplate"}},
		"a label that makes others act": {func(v *State) {
			v.Object.Spec.Target.Labels = map[string]v1alpha1.LabelValue{"argocd.argoproj.io/secret-type": "cluster"}
		}, decision{action: "nothing", reason: "InvalidSpec"}},
		"a CA bundle that is none":      {func(v *State) { missing(v); v.Object.Spec.TLS = &v1alpha1.TLS{CABundle: []byte("x")} }, decision{action: "nothing", reason: "InvalidSpec"}},
		"an empty CA bundle":            {func(v *State) { v.Object.Spec.TLS = &v1alpha1.TLS{} }, decision{action: "nothing"}},
		"a URL that no endpoint has":    {func(v *State) { provide(v, apsisAt("https://0x7f.1")) }, decision{action: "nothing", reason: "InvalidSpec"}},
		"a provider of a later version": {func(v *State) { provide(v, v1alpha1.Provider{}) }, decision{action: "nothing", reason: "InvalidSpec"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := steady()
			tc.given(v)
			if diff := cmp.Diff(tc.want, decided(Decide(v)), cmp.AllowUnexported(decision{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if f := Decide(v).Failure; f != nil && (!f.Stalled || f.Attempted || f.Message == "") {
				t.Errorf("got a failure that is stalled: %t, attempted: %t, of the message %q", f.Stalled, f.Attempted, f.Message)
			}
		})
	}
}

// TestDecideKeepsTheMinimumInterval: at least 10 s between two issued tokens of one object; a change that comes sooner waits.
func TestDecideKeepsTheMinimumInterval(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		given func(*State)
		want  decision
	}{
		"issued 10 s ago": {func(v *State) { v.Difference, v.Current.Persisted.IssuedAt = Different, at("11:17:33") }, decision{action: "issue", cause: "Changed"}},
		"issued a nanosecond less ago": {func(v *State) {
			v.Difference, v.Current.Persisted.IssuedAt = Different, at("11:17:33.000000001")
		}, decision{action: "nothing", cause: "Changed", at: "11:17:43.000000001"}},
		"a request waits, too":        {func(v *State) { request(v, "today"); v.Current.Persisted.IssuedAt = at("11:17:40") }, decision{action: "nothing", cause: "Requested", at: "11:17:50"}},
		"a 401 waits, too":            {func(v *State) { v.Rejected, v.Current.Persisted.IssuedAt = true, at("11:17:40") }, decision{action: "nothing", cause: "Rejected", at: "11:17:50"}},
		"an edited token waits, too":  {holding(func(s *TargetSecret) { s.Content, s.Persisted.IssuedAt = ContentReplaced, at("11:17:40") }), decision{action: "nothing", cause: "Replaced", at: "11:17:50"}},
		"a short token's renewal":     {func(v *State) { living(v, "11:17:35", "11:17:47") }, decision{action: "nothing", cause: "Renewal", at: "11:17:45"}},
		"a short token's renewal, ok": {func(v *State) { living(v, "11:17:33", "11:17:45") }, decision{action: "issue", cause: "Renewal"}},
		// Status has whole seconds: a token of 11:17:32.9 stands there as of 11:17:32.
		"target deleted, issued 11 s ago by status": {func(v *State) { missing(v); v.Object.Status.LastRefreshTime = second("11:17:32") }, decision{action: "issue", cause: "Missing"}},
		"target deleted, issued 10 s ago by status": {func(v *State) { missing(v); v.Object.Status.LastRefreshTime = second("11:17:33") }, decision{action: "nothing", cause: "Missing", at: "11:17:44"}},
		"status that is of the record's token": {func(v *State) {
			v.Difference = Different
			living(v, "11:17:33.5", "12:00:00")
			v.Object.Status.LastRefreshTime = second("11:17:33")
		}, decision{action: "nothing", cause: "Changed", at: "11:17:43.5"}},
		// The clock was set back: what is in the future holds back nobody.
		"issued a second in the future":           {func(v *State) { v.Difference, v.Current.Persisted.IssuedAt = Different, at("11:17:44") }, decision{action: "nothing", cause: "Changed", at: "11:17:54"}},
		"issued in the future":                    {func(v *State) { v.Difference, v.Current.Persisted.IssuedAt = Different, at("11:17:44.000000001") }, decision{action: "issue", cause: "Changed"}},
		"by status in the future":                 {func(v *State) { missing(v); v.Object.Status.LastRefreshTime = second("11:27:43") }, decision{action: "issue", cause: "Missing"}},
		"status that is newer than the record":    {func(v *State) { v.Difference = Different; v.Object.Status.LastRefreshTime = second("11:17:40") }, decision{action: "nothing", cause: "Changed", at: "11:17:51"}},
		"a failed attempt does not count":         {func(v *State) { v.Difference = Different; failed(v, "EndpointUnavailable", "11:17:43") }, decision{action: "issue", cause: "Changed"}},
		"a rewrite does not wait":                 {func(v *State) { unlabel(v); v.Current.Persisted.IssuedAt = at("11:17:40") }, decision{action: "rewrite"}},
		"a rewrite is done while a request waits": {func(v *State) { unlabel(v); request(v, "today"); v.Current.Persisted.IssuedAt = at("11:17:40") }, decision{action: "rewrite", cause: "Requested", at: "11:17:50"}},
		"basic does not wait": {func(v *State) {
			basic(v)
			v.Difference = Different
			v.Object.Status.LastRefreshTime = second("11:17:40")
		}, decision{action: "issue", cause: "Changed"}},
		"an update of resources that was refused": {func(v *State) {
			algonomy(v)
			v.Difference, v.UpdateRefused = UpdatableOnly, true
			v.Current.Persisted.IssuedAt = at("11:17:40")
		}, decision{action: "nothing", cause: "Changed", at: "11:17:50"}},
		"nothing is due: nothing has to be waited for": {func(v *State) { v.Current.Persisted.IssuedAt = at("11:17:40") }, decision{action: "nothing"}},
		// Status and target were taken away, or the token was never written.
		"this process knows of one":           {func(v *State) { missing(v); v.LastIssuedAt = at("11:17:33.5") }, decision{action: "nothing", cause: "Missing", at: "11:17:43.5"}},
		"this process knows of one, 10 s ago": {func(v *State) { missing(v); v.LastIssuedAt = at("11:17:33") }, decision{action: "issue", cause: "Missing"}},
		"the record knows of a later one": {func(v *State) {
			v.Difference = Different
			living(v, "11:17:40", "12:00:00")
			v.LastIssuedAt = at("11:17:35")
		}, decision{action: "nothing", cause: "Changed", at: "11:17:50"}},
		"a token in the hand is written at once": {func(v *State) { missing(v); v.LastIssuedAt, v.Pending = at("11:17:40"), &Publication{} }, decision{action: "issue", cause: "Missing"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := steady()
			tc.given(v)
			if diff := cmp.Diff(tc.want, decided(Decide(v)), cmp.AllowUnexported(decision{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestDecideKeepsTheBudget: maxPerDay counts issued tokens of the UTC day.
func TestDecideKeepsTheBudget(t *testing.T) {
	t.Parallel()
	spent := decision{action: "nothing", cause: "Changed", reason: "BudgetSpent", retry: "2026-03-02T00:00:00Z"}
	tests := map[string]struct {
		given func(*State)
		want  decision
	}{
		"one left":                {func(s *State) { budget(s, 20, 19) }, decision{action: "issue", cause: "Changed"}},
		"none left":               {func(s *State) { budget(s, 20, 20) }, spent},
		"lowered below the count": {func(s *State) { budget(s, 3, 20) }, spent},
		"no budget":               {func(s *State) { budget(s, 20, 20); s.Object.Spec.Refresh.MaxPerDay = nil }, decision{action: "issue", cause: "Changed"}},
		"another day's count":     {func(s *State) { budget(s, 20, 20); s.Object.Status.Issuance.Day = "2026-02-28" }, decision{action: "issue", cause: "Changed"}},
		"the next day was begun by a clock ahead": {func(s *State) { budget(s, 20, 20); s.Object.Status.Issuance.Day = "2026-03-02" }, spent},
		"a clock was ahead by days":               {func(s *State) { budget(s, 20, 20); s.Object.Status.Issuance.Day = "2026-03-03" }, decision{action: "issue", cause: "Changed"}},
		"status lost: the record has it":          {func(s *State) { budget(s, 20, 0); s.Object.Status.Issuance = nil; recordCount(s, "2026-03-01", 20) }, spent},
		"status behind: the record has it":        {func(s *State) { budget(s, 20, 19); recordCount(s, "2026-03-01", 20) }, spent},
		"both lost: this process has it":          {func(s *State) { budget(s, 20, 19); s.Issuance = &v1alpha1.Issuance{Day: "2026-03-01", Count: 20} }, spent},
		"this process has the day before":         {func(s *State) { budget(s, 20, 19); s.Issuance = &v1alpha1.Issuance{Day: "2026-02-28", Count: 20} }, decision{action: "issue", cause: "Changed"}},
		"the last one is in the hand":             {func(s *State) { budget(s, 20, 20); s.Pending = &Publication{} }, decision{action: "issue", cause: "Changed"}},
		"the record is behind":                    {func(s *State) { budget(s, 20, 20); recordCount(s, "2026-03-01", 7) }, spent},
		"the record is of the day before":         {func(s *State) { budget(s, 20, 1); recordCount(s, "2026-02-28", 20) }, decision{action: "issue", cause: "Changed"}},
		"the last nanosecond of the day": {func(s *State) {
			budget(s, 20, 20)
			living(s, "23:30:00", "23:59:59.5")
			s.Now = at("23:59:59.999999999")
		}, decision{action: "nothing", cause: "Renewal", reason: "BudgetSpent", retry: "2026-03-02T00:00:00Z"}},
		"the first nanosecond of the next": {func(s *State) {
			budget(s, 20, 20)
			living(s, "23:30:00", "23:59:59.5")
			s.Now = at("23:59:59.999999999").Add(1)
		}, decision{action: "issue", cause: "Renewal"}},
		"the day is UTC's, not that of local": {func(s *State) { budget(s, 20, 20); s.Now = s.Now.In(time.FixedZone("", 14*60*60)) }, spent},
		"a request does not break it":         {func(s *State) { s.Difference = Same; request(s, "today"); budget(s, 20, 20) }, decision{action: "nothing", cause: "Requested", reason: "BudgetSpent", retry: "2026-03-02T00:00:00Z"}},
		"it keeps nothing from being right":   {func(s *State) { s.Difference = Same; budget(s, 20, 20) }, decision{action: "nothing"}},
		"it does not hold back a rewrite":     {func(s *State) { s.Difference = Same; budget(s, 20, 20); unlabel(s) }, decision{action: "rewrite"}},
		"none without its headers": {func(s *State) {
			budget(s, 20, 20)
			unlabel(s)
			s.Current.Persisted.DefaultKeys = []string{"tenant_hash", "token"}
		}, spent},
		"a rewrite beside it": {func(s *State) { budget(s, 20, 20); unlabel(s) }, decision{action: "rewrite", cause: "Changed", reason: "BudgetSpent", retry: "2026-03-02T00:00:00Z"}},
		// Waited out until it is raised, which is another generation.
		"said before":  {func(s *State) { budget(s, 20, 20); failed(s, "BudgetSpent", "23:59:59") }, decision{action: "nothing", cause: "Changed", keep: true, at: "23:59:59"}},
		"raised":       {func(s *State) { budget(s, 21, 20); failed(s, "BudgetSpent", "23:59:59"); s.Object.Generation = 4 }, decision{action: "issue", cause: "Changed"}},
		"basic has no": {func(s *State) { basic(s); budget(s, 20, 20) }, decision{action: "issue", cause: "Changed"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := steady()
			s.Difference = Different
			tc.given(s)
			if diff := cmp.Diff(tc.want, decided(Decide(s)), cmp.AllowUnexported(decision{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestDecideWaitsOutAFailure: a failure is waited out, unless the object or its client Secret has changed. The object has no token.
func TestDecideWaitsOutAFailure(t *testing.T) {
	t.Parallel()
	try := decision{action: "issue", cause: "Missing"}
	until := func(clock string) decision {
		return decision{action: "nothing", cause: "Missing", keep: true, at: clock}
	}
	tests := map[string]struct {
		given func(*State)
		want  decision
	}{
		"no failure":                       {func(*State) {}, try},
		"not yet":                          {func(s *State) { failed(s, "EndpointUnavailable", "11:17:44") }, until("11:17:44")},
		"a nanosecond before":              {func(s *State) { failed(s, "EndpointUnavailable", "11:17:44"); s.Now = at("11:17:43.999999999") }, until("11:17:44")},
		"now":                              {func(s *State) { failed(s, "EndpointUnavailable", "11:17:43") }, try},
		"only after a change":              {func(s *State) { failed(s, "SecretKeyMissing", "") }, until("")},
		"the object changed":               {func(s *State) { failed(s, "SecretKeyMissing", ""); s.Object.Generation = 4 }, try},
		"the client Secret changed":        {func(s *State) { failed(s, "SecretKeyMissing", ""); s.Client.Version = "c/8" }, try},
		"the client Secret was made again": {func(s *State) { failed(s, "SecretKeyMissing", ""); s.Client.Version = "d/7" }, try},
		"the client Secret, same values": {func(s *State) {
			failed(s, "CredentialsRejected", "11:30:00")
			s.Client.Version, s.AttemptUnchanged = "c/8", true
		}, until("11:30:00")},
		"the object changed, refused before": {func(s *State) { failed(s, "CredentialsRejected", "11:30:00"); s.Object.Generation = 4 }, try},
		"the object changed, address closed": {func(s *State) { failed(s, "EndpointRefused", "11:30:00"); s.Object.Generation = 4 }, try},
		// A Retry-After is for the client, whatever else of the object changes.
		"throttled":                     {func(s *State) { failed(s, "Throttled", "11:30:00") }, until("11:30:00")},
		"throttled, the object changed": {func(s *State) { failed(s, "Throttled", "11:30:00"); s.Object.Generation = 4 }, until("11:30:00")},
		"throttled, the client Secret's values changed": {func(s *State) { failed(s, "Throttled", "11:30:00"); s.Client.Version = "c/8" }, try},
		"throttled, something else is asked for": {func(s *State) {
			failed(s, "Throttled", "11:30:00")
			provide(s, apsisAt("https://auth.example.com"))
			s.Object.Generation = 4
		}, try},
		"throttled, its time has come":     {func(s *State) { failed(s, "Throttled", "11:17:43") }, try},
		"throttled, suspended and resumed": {func(s *State) { failed(s, "Throttled", "11:30:00"); s.Object.Generation = 5 }, until("11:30:00")},
		// No pass writes this, but whoever edits status must not stop an object for good.
		"throttled, but no time is said":             {func(s *State) { failed(s, "Throttled", ""); s.Object.Generation = 5 }, try},
		"refused, suspended and resumed":             {func(s *State) { failed(s, "CredentialsRejected", ""); s.Object.Generation = 5 }, try},
		"the conditions are of before":               {func(s *State) { failed(s, "SecretKeyMissing", ""); s.Object.Status.Conditions = nil }, try},
		"the conditions are of before, not the time": {func(s *State) { failed(s, "CredentialsRejected", "11:30:00"); s.Object.Status.Conditions = nil }, until("11:30:00")},
		// It was reported before by a pass that made no attempt.
		"an obstacle that is gone": {func(s *State) { failed(s, "HostNotAllowed", ""); s.Object.Status.LastAttempt = nil }, try},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := steady()
			missing(s)
			tc.given(s)
			if diff := cmp.Diff(tc.want, decided(Decide(s)), cmp.AllowUnexported(decision{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestDecideSpacesAttempts: whatever ends the wait for a failure, no two attempts of an object are less than 10 s apart, or a minute after a rejection. A change
// of what would be sent lifts that, three times in ten minutes. The time is 11:17:43, and the object has no token.
func TestDecideSpacesAttempts(t *testing.T) {
	t.Parallel()
	try := decision{action: "issue", cause: "Missing"}
	early := decision{action: "issue", cause: "Missing", early: true}
	wait := func(clock string) decision { return decision{action: "nothing", cause: "Missing", at: clock} }
	keep := func(clock string) decision {
		return decision{action: "nothing", cause: "Missing", keep: true, at: clock}
	}
	refusedAt := func(clock string) func(*State) {
		return func(s *State) { failed(s, "CredentialsRejected", "11:32:00"); lastAskedAt(s, clock, true) }
	}
	downAt := func(clock string) func(*State) {
		return func(s *State) { failed(s, "EndpointUnavailable", "11:22:00"); lastAskedAt(s, clock, false) }
	}
	throttledAt := func(clock string) func(*State) {
		return func(s *State) { failed(s, "Throttled", "12:17:00"); lastAskedAt(s, clock, false) }
	}
	refresh := func(s *State) { request(s, "today") }
	relabel := func(s *State) { s.Object.Generation = 4 }
	rotate := func(s *State) { s.Client.Version = "c/8" }
	sameValues := func(s *State) { s.Client.Version, s.AttemptUnchanged = "c/8", true }
	otherProvider := func(s *State) { s.Object.Generation = 4; provide(s, apsisAt("https://auth.example.com")) }
	superseded := func(s *State) { s.Object.Status.LastAttempt.Superseded, s.Object.Status.NextRefreshTime = true, nil }
	earlier := func(clocks ...string) func(*State) {
		return func(s *State) {
			for _, clock := range clocks {
				s.Object.Status.EarlyAttempts = append(s.Object.Status.EarlyAttempts, *second(clock))
			}
		}
	}
	tests := map[string]struct {
		given []func(*State)
		want  decision
	}{
		"rejected, a refresh is requested at once":     {[]func(*State){refusedAt("11:17:43"), refresh}, wait("11:18:43")},
		"rejected, a refresh is requested after 59 s":  {[]func(*State){refusedAt("11:16:44"), refresh}, wait("11:17:44")},
		"rejected, a refresh is requested after 60 s":  {[]func(*State){refusedAt("11:16:43"), refresh}, try},
		"rejected, the request was handled":            {[]func(*State){refusedAt("11:16:43"), refresh, func(s *State) { handled(s, "today") }}, keep("11:32:00")},
		"rejected, a label changed":                    {[]func(*State){refusedAt("11:17:30"), relabel}, wait("11:18:30")},
		"rejected, the provider changed":               {[]func(*State){refusedAt("11:17:42"), otherProvider}, early},
		"rejected, values changed":                     {[]func(*State){refusedAt("11:17:42"), rotate}, early},
		"rejected, values changed a minute later":      {[]func(*State){refusedAt("11:16:43"), rotate}, try},
		"rejected, the Secret's metadata changed":      {[]func(*State){refusedAt("11:17:42"), sameValues}, keep("11:32:00")},
		"metadata changed, and a refresh requested":    {[]func(*State){refusedAt("11:17:42"), sameValues, refresh}, wait("11:18:42")},
		"values changed, two changes before":           {[]func(*State){refusedAt("11:17:42"), rotate, earlier("11:09:00", "11:10:00")}, early},
		"values changed, three changes before":         {[]func(*State){refusedAt("11:17:42"), rotate, earlier("11:08:00", "11:09:00", "11:10:00")}, wait("11:18:42")},
		"values changed, the first ten minutes ago":    {[]func(*State){refusedAt("11:17:42"), rotate, earlier("11:07:43", "11:09:00", "11:10:00")}, early},
		"down, a refresh is requested":                 {[]func(*State){downAt("11:17:40"), refresh}, wait("11:17:50")},
		"down, a refresh is requested after 10 s":      {[]func(*State){downAt("11:17:33"), refresh}, try},
		"down, a label changed":                        {[]func(*State){downAt("11:17:40"), relabel}, wait("11:17:50")},
		"down, the provider changed":                   {[]func(*State){downAt("11:17:40"), otherProvider}, early},
		"throttled, a refresh is requested":            {[]func(*State){throttledAt("11:17:00"), refresh}, keep("11:27:00")},
		"throttled, requested after ten minutes":       {[]func(*State){throttledAt("11:07:43"), refresh}, try},
		"throttled, no request":                        {[]func(*State){throttledAt("11:07:43")}, keep("12:17:00")},
		"something else was in the way, 10 s ago":      {[]func(*State){refusedAt("11:17:33"), superseded}, wait("11:18:33")},
		"something else was in the way, and a change":  {[]func(*State){refusedAt("11:17:33"), superseded, rotate}, early},
		"something else was in the way, a minute ago":  {[]func(*State){refusedAt("11:16:43"), superseded}, try},
		"a retry whose time has come is not held back": {[]func(*State){refusedAt("11:17:20"), func(s *State) { s.Object.Status.NextRefreshTime = second("11:17:43") }}, try},
		// The clock was set back by an hour while nobody looked: a minute is waited for, and not an hour.
		"an attempt in the future": {[]func(*State){refusedAt("12:17:43"), refresh}, wait("11:18:43")},
		// A token in the hand is written, which is no attempt.
		"a token in the hand": {[]func(*State){refusedAt("11:17:43"), refresh, func(s *State) { s.Pending = &Publication{} }}, try},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := steady()
			missing(s)
			for _, given := range tc.given {
				given(s)
			}
			if diff := cmp.Diff(tc.want, decided(Decide(s)), cmp.AllowUnexported(decision{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestEarlyAttemptsAreCountedForTenMinutes: what a change has had made early is counted when it was made, whatever came of it, and forgotten after ten minutes.
func TestEarlyAttemptsAreCountedForTenMinutes(t *testing.T) {
	t.Parallel()
	given := func() *State {
		s := steady()
		missing(s)
		s.Object.Status.EarlyAttempts = []metav1.Time{*second("11:07:43"), *second("11:07:44")}
		return s
	}
	for name, tc := range map[string]struct {
		s    Plan
		out  Result
		want []string
	}{
		"failed":          {Plan{Action: ActionIssue, Early: true}, Result{Failure: &Failure{Reason: "CredentialsRejected", Attempted: true, Sent: true, RetryAt: at("11:30:00")}}, []string{"11:07:44", "11:17:43"}},
		"worked":          {Plan{Action: ActionIssue, Early: true}, Result{Wrote: true}, []string{"11:07:44", "11:17:43"}},
		"not early":       {Plan{Action: ActionIssue}, Result{Wrote: true}, []string{"11:07:44"}},
		"nothing sent":    {Plan{Action: ActionIssue, Early: true}, Result{Failure: &Failure{Reason: "SecretKeyMissing", Attempted: true}}, []string{"11:07:43", "11:07:44"}},
		"waiting":         {Plan{Action: ActionIssue, Early: true}, Result{Waiting: true}, []string{"11:07:43", "11:07:44"}},
		"nothing was due": {Plan{}, Result{}, []string{"11:07:43", "11:07:44"}},
	} {
		var got []string
		for _, early := range NewStatus(given(), tc.s, tc.out, nil).EarlyAttempts {
			got = append(got, clockText(early.Time))
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

// TestDecideRemembersARejectedTokenAfterARestart: a process that has just begun knows from status that the held token was answered with 401, and that the exchange which this
// called for has failed. It waits that out instead of trying the token, and the endpoint, anew.
func TestDecideRemembersARejectedTokenAfterARestart(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given func(*State)
		want  decision
	}{
		"not yet":                   {func(*State) {}, decision{action: "nothing", cause: "Rejected", keep: true, at: "11:30:00"}},
		"now":                       {func(s *State) { s.Now = at("11:30:00") }, decision{action: "issue", cause: "Rejected"}},
		"another token since":       {func(s *State) { s.Current.Persisted.IssuedAt = at("11:01:00") }, decision{action: "nothing"}},
		"it was for something else": {func(s *State) { s.Object.Status.LastAttempt.TokenRejected = false }, decision{action: "nothing"}},
	} {
		s := steady()
		s.Object.Status.LastRefreshTime = second("11:00:00")
		failed(s, "EndpointUnavailable", "11:30:00")
		lastAskedAt(s, "11:17:00", false)
		s.Object.Status.LastAttempt.TokenRejected = true
		tc.given(s)
		s.Rejected = rejectedBefore(s)
		if diff := cmp.Diff(tc.want, decided(Decide(s)), cmp.AllowUnexported(decision{})); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

// TestDecideRewritesWhileAnExchangeWaits: what needs no exchange does not wait for one, as long as the held token is good.
func TestDecideRewritesWhileAnExchangeWaits(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		given func(*State)
		want  decision
	}{
		"drift":              {func(s *State) { unlabel(s) }, decision{action: "rewrite", cause: "Renewal", keep: true, at: "11:59:59"}},
		"edited":             {holding(editedContent), decision{action: "rewrite", cause: "Renewal", keep: true, at: "11:59:59"}},
		"renamed target":     {renamed, decision{action: "rewrite", cause: "Renewal", keep: true, at: "11:59:59"}},
		"nothing to rewrite": {func(*State) {}, decision{action: "nothing", cause: "Renewal", keep: true, at: "11:59:59"}},
		"the token's last nanosecond": {func(s *State) {
			unlabel(s)
			failed(s, "CredentialsRejected", "12:30:00")
			s.Now = at("11:59:59.999999999")
		}, decision{action: "rewrite", cause: "Renewal", keep: true, at: "12:30:00"}},
		"the token has expired": {func(s *State) {
			unlabel(s)
			failed(s, "CredentialsRejected", "12:30:00")
			s.Now = at("12:00:00")
		}, decision{action: "nothing", cause: "Renewal", keep: true, at: "12:30:00"}},
		"the token was edited": {holding(replacedContent), decision{action: "nothing", cause: "Replaced", keep: true, at: "11:59:59"}},
		// One header of before and one of after do not go together.
		"a change: the token goes alone": {func(s *State) { unlabel(s); s.Difference = Different }, decision{action: "rewrite", cause: "Renewal", keep: true, at: "11:59:59"}},
		"a change: the token goes with a tenant hash": {func(s *State) {
			algonomy(s)
			unlabel(s)
			s.Difference = Different
		}, decision{action: "nothing", cause: "Renewal", keep: true, at: "11:59:59"}},
		"resources changed: the tenant hash is the same": {func(s *State) {
			algonomy(s)
			unlabel(s)
			s.Difference = UpdatableOnly
		}, decision{action: "rewrite", cause: "Renewal", keep: true, at: "11:59:59"}},
		// What failed for want of a value would fail again, and be counted again.
		"a value is missing, and it is not its time": {func(s *State) {
			unlabel(s)
			failed(s, "SecretKeyMissing", "")
			s.Now = at("11:20:00")
		}, decision{action: "nothing", keep: true}},
		"a value is missing": {func(s *State) { unlabel(s); failed(s, "SecretKeyMissing", "") }, decision{action: "nothing", cause: "Renewal", keep: true}},
		"a value was missing": {func(s *State) {
			unlabel(s)
			failed(s, "SecretKeyMissing", "")
			s.Client.Version, s.Now = "c/8", at("11:20:00")
		}, decision{action: "rewrite"}},
		"the API server refuses the target": {func(s *State) {
			unlabel(s)
			failed(s, "TargetUnusable", "11:30:00")
			s.Now = at("11:20:00")
		}, decision{action: "nothing", keep: true, at: "11:30:00"}},
		"the API server refused the target": {func(s *State) {
			unlabel(s)
			failed(s, "TargetUnusable", "11:20:00")
			s.Now = at("11:20:00")
		}, decision{action: "rewrite"}},
		"the endpoint is waited for, and it is not its time": {func(s *State) {
			unlabel(s)
			failed(s, "CredentialsRejected", "11:30:00")
			s.Now = at("11:20:00")
		}, decision{action: "rewrite"}},
		// A user name and a password are no token, whatever key they are under.
		"from basic": {func(s *State) {
			s.Current.Persisted.IssuedAt, s.Current.Persisted.ExpiresAt = time.Time{}, time.Time{}
			unlabel(s)
			s.Difference = Different
		}, decision{action: "nothing", cause: "Changed", keep: true, at: "11:59:59"}},
		"to basic": {func(s *State) {
			provide(s, v1alpha1.Provider{Basic: &v1alpha1.Basic{}})
			s.Client.AllowBasic, s.Difference = "true", Different
		}, decision{action: "nothing", cause: "Changed", keep: true, at: "11:59:59"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := steady()
			s.Now = at("11:50:00")
			failed(s, "CredentialsRejected", "11:59:59")
			tc.given(s)
			if diff := cmp.Diff(tc.want, decided(Decide(s)), cmp.AllowUnexported(decision{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// The literals of these tests.
const uid = credentialtest.UID

var at, clockText, ownedByUs = credentialtest.At, credentialtest.Clock, credentialtest.OwnerReferences

// steady is a view of marketing/etl at 11:17:43, with which all is well.
func steady() *State {
	obj := &v1alpha1.CDPCredential{}
	obj.Namespace, obj.Name, obj.UID, obj.Generation = "marketing", "etl", uid, 3
	obj.Spec.ClientSecretRef.Name = "etl-client"
	obj.Spec.Target.Name = "etl-token"
	s := &State{Now: at("11:17:43"), Object: obj, Client: ClientSecret{Found: true, Version: "c/7", AllowedHosts: "auth.example.com"}}
	s.Target = TargetSecret{Name: "etl-token", Found: true, Version: "t/9", Content: ContentIntact, Persisted: &PersistedState{
		Salt:              []byte("salt"),
		Object:            "etl",
		PersistedToken:    PersistedToken{IssuedAt: at("11:00:00"), ExpiresAt: at("12:00:00"), TokenType: "Bearer"},
		PersistedIssuance: PersistedIssuance{Cause: "Missing"},
		PersistedTarget:   PersistedTarget{TokenMAC: "seal", TargetSpecHash: TargetSpecHash(&obj.Spec.Target)},
	}}
	s.Target.Metadata.UID, s.Target.Metadata.ResourceVersion = "t", "9"
	s.Target.Metadata.Labels = map[string]string{"app.kubernetes.io/managed-by": "cdp-credential-operator"}
	s.Target.Metadata.Annotations = map[string]string{
		"cdpcredentials.io/credential": "etl", "cdpcredentials.io/expires-at": "2026-03-01T12:00:00Z", "cdpcredentials.io/state": "{}",
	}
	s.Target.Metadata.OwnerReferences = ownedByUs()
	s.Current = s.Target
	provide(s, v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: "https://auth.example.com/oauth/token"}})
	return s
}

// writtenAhead has the target written when the local clock was ahead by that much, which it is still.
func writtenAhead(s *State, ahead time.Duration) {
	s.ClockAhead, s.Target.Persisted.ClockAhead = ahead, ahead
	s.Target.Metadata.Annotations["cdpcredentials.io/expires-at"] = s.Target.Persisted.ExpiresAt.Add(ahead).Format(time.RFC3339)
}

// second is at as status has it.
func second(clock string) *metav1.Time {
	t := metav1.NewTime(at(clock))
	return &t
}

func hosts(list string) egress.Hosts { return mustHosts(list) }

// provide gives the object another provider.
func provide(s *State, p v1alpha1.Provider) {
	s.Object.Spec.Provider = p
	s.Desired, s.DesiredErr = DesiredFlowOf(&s.Object.Spec)
}

// intentFor is what a provider comes to.
func intentFor(p v1alpha1.Provider) DesiredFlow {
	in, err := DesiredFlowOf(specOf(p))
	if err != nil {
		panic(err)
	}
	return in
}

func apsisAt(url v1alpha1.HTTPSURL) v1alpha1.Provider {
	return v1alpha1.Provider{Apsis: &v1alpha1.Apsis{URL: &url}}
}

func algonomy(s *State) {
	provide(s, v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{URL: "https://auth.example.com", API: "Profile", Resources: []v1alpha1.Scope{"basic"}}})
}

func basic(s *State) {
	provide(s, v1alpha1.Provider{Basic: &v1alpha1.Basic{}})
	s.Client.AllowBasic = "true"
	s.Current.Persisted.IssuedAt, s.Current.Persisted.ExpiresAt = time.Time{}, time.Time{}
	delete(s.Target.Metadata.Annotations, "cdpcredentials.io/expires-at")
}

// holding changes the target, which is the one that has the token.
func holding(change func(*TargetSecret)) func(*State) {
	return func(s *State) {
		change(&s.Target)
		s.Current = s.Target
	}
}

func replacedContent(s *TargetSecret) { s.Content = ContentReplaced }
func editedContent(s *TargetSecret)   { s.Content = ContentEdited }

func missing(s *State) {
	s.Target = TargetSecret{Name: "etl-token"}
	s.Current = s.Target
}

// renamed gives the target a name under which there is no Secret yet.
func renamed(s *State) {
	s.Object.Spec.Target.Name = "etl-new"
	s.Object.Status.TargetName = "etl-token"
	s.Target = TargetSecret{Name: "etl-new"}
}

// foreign makes the target a Secret that is not ours.
func foreign(s *State) {
	s.Target = TargetSecret{Name: "etl-token", Found: true, Version: "x/1"}
	s.Current = s.Target
}

func foreignMetadata(s *State) {
	s.Target.Metadata.Labels["team"] = "red"
	s.Target.Metadata.Annotations["reloader"] = "true"
	s.Target.Metadata.OwnerReferences = append([]metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "x", UID: "y"}}, s.Target.Metadata.OwnerReferences...)
}

func unlabel(s *State) { delete(s.Target.Metadata.Labels, "app.kubernetes.io/managed-by") }

// living gives the held token another life.
func living(s *State, issued, expires string) {
	s.Current.Persisted.IssuedAt, s.Current.Persisted.ExpiresAt = at(issued), at(expires)
	s.Target.Metadata.Annotations["cdpcredentials.io/expires-at"] = at(expires).Truncate(time.Second).Format(time.RFC3339)
}

func renewBefore(s *State, before time.Duration) {
	s.Object.Spec.Refresh = &v1alpha1.Refresh{Before: &metav1.Duration{Duration: before}}
}

func budget(s *State, maxPerDay, issued int32) {
	s.Object.Spec.Refresh = &v1alpha1.Refresh{MaxPerDay: &maxPerDay}
	s.Object.Status.Issuance = &v1alpha1.Issuance{Day: "2026-03-01", Count: issued}
}

func recordCount(s *State, day string, count int32) {
	s.Current.Persisted.Issuance = &v1alpha1.Issuance{Day: day, Count: count}
}

func suspended(s *State) { s.Object.Spec.Suspend = true }

// retain is the deletion policy, applied to the Secret already.
func retain(s *State) {
	s.Object.Spec.Target.DeletionPolicy = "Retain"
	s.Current.Persisted.TargetSpecHash = TargetSpecHash(&s.Object.Spec.Target)
	s.Target.Metadata.OwnerReferences = nil
}

func badTemplate(s *State) {
	s.Object.Spec.Target.Data = map[string]v1alpha1.DataTemplate{"auth": "Bearer {{ .token"}
}

func request(s *State, text string) {
	s.Object.Annotations = map[string]string{"cdpcredentials.io/refresh-requested-at": text}
}

func handled(s *State, text string) { s.Object.Status.LastHandledRefreshRequest = text }

// failed puts a failed attempt into status, made with the object and the client Secret as they are in steady. Without next, only a change
// helps.
func failed(v *State, reason, next string) {
	s := &v.Object.Status
	s.Failures, s.LastAttempt = 1, &v1alpha1.Attempt{Generation: 3, Asked: v.Desired.SpecHash, ClientSecretVersion: "c/7"}
	s.NextRefreshTime = nil
	if next != "" {
		s.NextRefreshTime = second(next)
	}
	s.Conditions = []metav1.Condition{{Type: "Refreshed", Status: "False", Reason: reason, Message: "as before", ObservedGeneration: 3, LastTransitionTime: *second("10:00:00")}}
}

// lastAskedAt has the failed attempt in status be one that the endpoint has answered, at that time.
func lastAskedAt(s *State, clock string, rejected bool) {
	s.Object.Status.LastAttempt.Time, s.Object.Status.LastAttempt.Rejected = second(clock), rejected
}
