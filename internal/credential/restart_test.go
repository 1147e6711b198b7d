// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TestRestartIsDueAfterAChange: a workload is looked at when something may be owed to it, and a change waits a little for others. Empty: not before a change.
func TestRestartIsDueAfterAChange(t *testing.T) {
	t.Parallel()
	const now = "11:17:43"
	told := func(dataRevision, reason string) *v1alpha1.RolloutRestartStatus {
		return &v1alpha1.RolloutRestartStatus{DataRevision: dataRevision, Reason: reason}
	}
	waited := func(dataRevision, until string) RestartWait {
		return RestartWait{DataRevision: dataRevision, Until: at(until)}
	}
	tests := map[string]struct {
		told *v1alpha1.RolloutRestartStatus
		wait RestartWait
		want string
	}{
		"new in the list":                                 {nil, RestartWait{}, now},
		"nothing has changed":                             {told("e1", ""), RestartWait{}, ""},
		"nothing has changed, though it was missing":      {told("e1", "WorkloadNotFound"), RestartWait{}, ""},
		"nothing has changed, and restarts were off":      {told("e1", "RolloutRestartDisabled"), RestartWait{}, ""},
		"the data has changed: others may follow":         {told("e0", ""), RestartWait{}, "11:17:53"},
		"it has changed while restarts were off":          {told("e0", "RolloutRestartDisabled"), RestartWait{}, "11:17:53"},
		"it goes on waiting":                              {told("e0", ""), waited("e1", "11:17:46"), "11:17:46"},
		"it has waited":                                   {told("e0", ""), waited("e1", "11:17:43"), now},
		"it has waited for long":                          {told("e0", ""), waited("e1", "11:00:00"), "11:00:00"},
		"another change does not put it off":              {told("e0", ""), waited("older", "11:17:46"), "11:17:46"},
		"another change, after the last was seen to":      {told("e0", ""), waited("older", "11:17:40"), "11:17:53"},
		"another change while forbidden: it is tried":     {told("e0", "RolloutRestartForbidden"), waited("older", "11:22:00"), "11:17:53"},
		"forbidden, nothing owed: rights may be given":    {told("e1", "RolloutRestartForbidden"), waited("e1", "11:22:00"), "11:22:00"},
		"not allowed, nothing owed: it may be":            {told("e1", "RolloutRestartNotAllowed"), waited("e1", "11:22:00"), "11:22:00"},
		"failed, nothing owed, another process: once":     {told("e1", "RolloutRestartFailed"), RestartWait{}, "11:17:53"},
		"the clock was set back while it waited":          {told("e0", ""), waited("e1", "15:00:00"), "11:17:53"},
		"the clock was set back, five minutes are longer": {told("e0", ""), waited("e1", "11:22:43"), "11:22:43"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := RestartState{Status: tc.told, DataRevision: "e1", Wait: tc.wait}
			if got := clockText(o.Due(at(now))); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestRestartOncePerDataAndMinute: a restart only for data that the pods have not begun with, and one a minute for all objects together.
func TestRestartOncePerDataAndMinute(t *testing.T) {
	t.Parallel()
	const now = "11:17:43"
	told := func(dataRevision string) *v1alpha1.RolloutRestartStatus {
		return &v1alpha1.RolloutRestartStatus{Kind: "Deployment", Name: "web", DataRevision: dataRevision}
	}
	found := func(restartedAt string, dataRevisions map[string]string) Workload {
		w := Workload{Found: true, Allowed: "ads, etl", DataRevisions: dataRevisions}
		if restartedAt != "" {
			w.RestartedAt = at(restartedAt)
		}
		return w
	}
	etl := func(dataRevision string) map[string]string {
		return map[string]string{etlKey: dataRevision, otherKey: "e9"}
	}
	unasked := func(w Workload, allowed string) Workload {
		w.Allowed = allowed
		return w
	}
	tests := map[string]struct {
		told *v1alpha1.RolloutRestartStatus
		w    Workload
		want string
	}{
		"new in the list: it begins with what there is":            {nil, found("", nil), "e1"},
		"new, and restarted for others":                            {nil, found("11:17:00", map[string]string{otherKey: "e9"}), "e1"},
		"new, and restarted for this dataRevision":                 {nil, found("11:17:00", etl("e1")), "e1, restarted 11:17:00"},
		"new, and restarted for a deleted object of the name":      {nil, found("11:00:00", etl("e0")), "e0, restarted 11:00:00, RESTART"},
		"new, the same less than a minute ago":                     {nil, found("11:17:00", etl("e0")), "e0, restarted 11:17:00, until 11:18:00"},
		"new, and not there":                                       {nil, Workload{}, "e1"},
		"changed":                                                  {told("e0"), found("", nil), "e0, RESTART"},
		"changed, and restarted long ago":                          {told("e0"), found("11:00:00", etl("e0")), "e0, restarted 11:00:00, RESTART"},
		"changed, restarted for others long ago":                   {told("e0"), found("11:00:00", map[string]string{otherKey: "e9"}), "e0, RESTART"},
		"changed, restarted for others a minute ago":               {told("e0"), found("11:16:43", map[string]string{otherKey: "e9"}), "e0, RESTART"},
		"changed, restarted for others less than a minute ago":     {told("e0"), found("11:16:44", map[string]string{otherKey: "e9"}), "e0, until 11:17:44"},
		"changed, another pass has seen to it":                     {told("e0"), found("11:17:40", etl("e1")), "e1, restarted 11:17:40"},
		"changed, the process died after the restart":              {told("e0"), found("11:00:00", etl("e1")), "e1, restarted 11:00:00"},
		"changed, and rolled back by its user":                     {told("e0"), found("11:00:00", etl("older")), "older, restarted 11:00:00, RESTART"},
		"changed, restarted by a clock that is ahead":              {told("e0"), found("11:18:00", etl("e0")), "e0, restarted 11:18:00, until 11:19:00"},
		"changed, restarted in a future that nobody believes":      {told("e0"), found("11:18:44", etl("e0")), "e0, restarted 11:18:44, RESTART"},
		"changed, and not there: it will begin with what there is": {told("e0"), Workload{}, "e1, WorkloadNotFound"},
		"changed, and the workload allows nobody":                  {told("e0"), unasked(found("", nil), ""), "e0, RolloutRestartNotAllowed, until 11:22:43"},
		"changed, and it allows another":                           {told("e0"), unasked(found("", nil), "etl2,ads"), "e0, RolloutRestartNotAllowed, until 11:22:43"},
		"changed, it allows nobody: what it says is not read":      {told("e0"), unasked(found("11:17:00", etl("e1")), ""), "e0, RolloutRestartNotAllowed, until 11:22:43"},
		"changed, and it allows all":                               {told("e0"), unasked(found("", nil), "*"), "e0, RESTART"},
		"new in the list, and it allows nobody: told at once":      {nil, unasked(found("", nil), ""), "e1, RolloutRestartNotAllowed, until 11:22:43"},
		"changed, somebody wrote a text that is no data revision":  {told("e0"), found("11:00:00", etl("12345678901234567")), "e0, RESTART"},
		"looked at again, nothing has changed":                     {told("e1"), found("", nil), "e1"},
		"looked at again, not there, nothing has changed":          {told("e1"), Workload{}, "e1"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tc.told != nil {
				tc.told.Reason, tc.told.Message = "RolloutRestartForbidden", "as it was before"
			}
			o := RestartState{
				Object: types.NamespacedName{Namespace: "marketing", Name: "etl"}, Workload: v1alpha1.RolloutRestart{Kind: "Deployment", Name: "web"}, Status: tc.told, DataRevision: "e1",
			}
			got := o.Decide(tc.w, at(now))
			text := []string{got.Status.DataRevision}
			if last := got.Status.LastRestartTime; last != nil {
				text = append(text, "restarted "+clockText(last.Time))
			}
			if got.Status.Reason != "" {
				text = append(text, got.Status.Reason)
			}
			if got.Restart {
				text = append(text, "RESTART")
			}
			if !got.Until.IsZero() {
				text = append(text, "until "+clockText(got.Until))
			}
			if is := strings.Join(text, ", "); is != tc.want {
				t.Errorf("got %q, want %q", is, tc.want)
			}
			if got.Status.Kind != "Deployment" || got.Status.Name != "web" || (got.Status.Message == "") != (got.Status.Reason == "") {
				t.Errorf("got %+v", got.Status)
			}
		})
	}
}

// etlKey and otherKey stand for objects on a workload: echo -n etl | sha256sum | head -c 16.
const (
	etlKey   = "631fd8e1ffac93e4"
	otherKey = "d9298a10d1b07358"
)

// TestWorkloadAllowsTheObjectsItNames: whoever runs a workload names the objects that may restart it.
func TestWorkloadAllowsTheObjectsItNames(t *testing.T) {
	t.Parallel()
	for allowed, want := range map[string]bool{
		"": false, "etl": true, " etl ": true, "ads,etl": true, "ads, etl ,web": true, "*": true, "ads,*": true, ",": false,
		"etl2": false, "ETL": false, "et*": false, "*etl": false, "ads etl": false, "etl;ads": false,
	} {
		w := Workload{Allowed: allowed}
		if got := w.Allows("etl"); got != want {
			t.Errorf("%q: got %t, want %t", allowed, got, want)
		}
	}
}

// TestRestartedForIsBounded: whatever objects name a workload, what is written on it fits beside what others write there.
func TestRestartedForIsBounded(t *testing.T) {
	t.Parallel()
	if restartKey("etl") != etlKey || restartKey("other") != otherKey {
		t.Errorf("the keys are %s and %s", restartKey("etl"), restartKey("other"))
	}
	own := ObjectRevision{Object: "etl", DataRevision: "0123456789abcdef", Waiting: true}
	var others []ObjectRevision
	for i := range 1500 {
		others = append(others, ObjectRevision{Object: strings.Repeat("n", 249) + strconv.Itoa(i), DataRevision: "0123456789abcdef", Waiting: i >= 1200})
	}
	kept := RestartedFor(own, others)
	text, err := json.Marshal(kept)
	if err != nil || len(kept) != 1000 || kept[etlKey] == "" || len(text) > 40_000 {
		t.Errorf("%d entries in %d bytes, this object's is %q: %v", len(kept), len(text), kept[etlKey], err)
	}
	for _, other := range others {
		if other.Waiting && kept[restartKey(other.Object)] == "" {
			t.Errorf("%s waits for a restart and is left out", other.Object[249:])
		}
	}
	if diff := cmp.Diff(map[string]string{etlKey: "0123456789abcdef"}, RestartedFor(own, nil)); diff != "" {
		t.Error(diff)
	}
}

// TestDataRevisionStaysOnlyWhenDataMust: an ID stays only where no data can have changed, whatever the values are.
func TestDataRevisionStaysOnlyWhenDataMust(t *testing.T) {
	t.Parallel()
	const fresh = "2a2a2a2a2a2a2a2a"
	withTemplate := func(text string) func(*State) {
		return func(s *State) {
			s.Object.Spec.Target.Data = map[string]v1alpha1.DataTemplate{"authorization": v1alpha1.DataTemplate(text)}
		}
	}
	hash := func(text string) string {
		s := steady()
		withTemplate(text)(s)
		return templatesHash(&s.Object.Spec.Target)
	}
	for name, tc := range map[string]struct {
		given     func(*State)
		revision  string
		templates string
		want      string
	}{
		"a new token":                          {func(*State) {}, "", "", fresh},
		"labels changed":                       {func(*State) {}, "e0", "", "e0"},
		"labels changed, beside a template":    {withTemplate("{{ .token }}"), "e0", hash("{{ .token }}"), "e0"},
		"a template that renders the same":     {withTemplate("{{ .token }}{{/**/}}"), "e0", hash("{{ .token }}"), fresh},
		"a template more":                      {withTemplate("{{ .token }}"), "e0", "", fresh},
		"no template any more":                 {func(*State) {}, "e0", hash("{{ .token }}"), fresh},
		"data that somebody edited, restored":  {func(s *State) { holding(editedContent)(s) }, "e0", "", fresh},
		"another target":                       {func(s *State) { s.Target.Name = "renamed" }, "e0", "", fresh},
		"a token of a version that gave no ID": {func(*State) {}, "", "", fresh},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := steady()
			tc.given(s)
			rec := &PersistedState{PersistedTarget: PersistedTarget{DataRevision: tc.revision, TemplatesHash: tc.templates}}
			if !KeepsDataRevision(s, rec) {
				SetDataRevision(s, rec, []byte("********"))
			}
			if rec.DataRevision != tc.want || rec.TemplatesHash != templatesHash(&s.Object.Spec.Target) {
				t.Errorf("got %q of %q, want %q", rec.DataRevision, rec.TemplatesHash, tc.want)
			}
		})
	}
}

// TestTargetDataRevisionOfOlderTargets: what the target holds has a name even if it was written before anybody asked for one; what is not ours has none.
func TestTargetDataRevisionOfOlderTargets(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given func(*State)
		want  string
	}{
		"named":                 {func(s *State) { s.Target.Persisted.DataRevision = "e1" }, "e1"},
		"unnamed":               {func(*State) {}, "unnamed"},
		"other keys are edited": {func(s *State) { s.Target.Persisted.DataRevision = "e1"; s.Target.Content = ContentEdited }, "e1"},
		"named by others":       {func(s *State) { s.Target.Persisted.DataRevision = strings.Repeat("e", 17) }, "unnamed"},
		"the token is edited":   {func(s *State) { s.Target.Persisted.DataRevision = "e1"; s.Target.Content = ContentReplaced }, ""},
		"expired":               {func(s *State) { s.Target.Persisted.DataRevision = "e1"; s.Target.Persisted.ExpiresAt = at("11:00:00") }, "e1"},
		"missing":               {missing, ""},
		"of somebody else":      {func(s *State) { s.Target.Metadata.Annotations["cdpcredentials.io/credential"] = "other" }, ""},
	} {
		s := steady()
		tc.given(s)
		if got := s.Target.DataRevision("etl"); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

// TestNewRestartWarningsAreOnePerBlocker: one Warning for each obstacle when it comes up, none while it lasts, and one for all workloads if it is the same.
func TestNewRestartWarningsAreOnePerBlocker(t *testing.T) {
	t.Parallel()
	list := func(lines ...string) []v1alpha1.RolloutRestartStatus {
		var entries []v1alpha1.RolloutRestartStatus
		for _, line := range lines {
			name, rest, _ := strings.Cut(line, ":")
			reason, message, _ := strings.Cut(rest, ":")
			entries = append(entries, v1alpha1.RolloutRestartStatus{Kind: "Deployment", Name: name, Reason: reason, Message: message})
		}
		return entries
	}
	for name, tc := range map[string]struct {
		before, after, want []v1alpha1.RolloutRestartStatus
	}{
		"well":                    {nil, list("a", "b"), nil},
		"it comes up":             {list("a", "b"), list("a:Failed:a", "b"), list("a:Failed:a")},
		"it lasts":                {list("a:Failed:a"), list("a:Failed:a"), nil},
		"it comes up for another": {list("a:Failed:a", "b"), list("a:Failed:a", "b:Failed:b"), list("b:Failed:b")},
		"it is another":           {list("a:Failed:a"), list("a:Forbidden:a"), list("a:Forbidden:a")},
		"it is gone":              {list("a:Failed:a"), list("a"), nil},
		"the same for all":        {nil, list("a:Disabled:x", "b:Disabled:x"), list("a:Disabled:x")},
		"the same for one more":   {list("a:Disabled:x"), list("a:Disabled:x", "b:Disabled:x"), nil},
	} {
		if diff := cmp.Diff(tc.want, NewRestartWarnings(tc.before, tc.after)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

// TestRestartMessagesSayWhatToDo, and hold nothing that would flap.
func TestRestartMessagesSayWhatToDo(t *testing.T) {
	t.Parallel()
	ref := v1alpha1.RolloutRestart{Kind: "StatefulSet", Name: "web"}
	for message, say := range map[string][]string{
		workloadMissing(ref): {"StatefulSet web", "correct its name"},
		restartNotAllowed(types.NamespacedName{Namespace: "marketing", Name: "etl"}, ref): {
			"StatefulSet web does not allow etl", "kubectl annotate statefulset -n marketing web 'cdpcredentials.io/allow-restart=etl'", "after a comma",
		},
		RestartForbidden(ref):   {"StatefulSet web", "config/rollout-restart"},
		RestartFailed(ref):      {"StatefulSet web", "kubectl rollout restart"},
		string(RestartDisabled): {"--enable-rollout-restart", "config/rollout-restart", "Reloader"},
	} {
		for _, words := range say {
			if !strings.Contains(message, words) {
				t.Errorf("%q does not say %q", message, words)
			}
		}
	}
}

// TestSoonerTakesZeroForNever: zero is never.
func TestSoonerTakesZeroForNever(t *testing.T) {
	t.Parallel()
	var never time.Time
	for want, times := range map[string][]time.Time{
		"":         {never, never},
		"11:00:00": {never, at("12:00:00"), at("11:00:00"), never},
		"10:00:00": {at("10:00:00"), never},
	} {
		if got := clockText(Earliest(times...)); got != want {
			t.Errorf("%v: got %q, want %q", times, got, want)
		}
	}
}
