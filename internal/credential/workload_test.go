// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

func TestWorkloadIsReadFromItsTemplate(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given func(*unstructured.Unstructured, map[string]any)
		want  Workload
	}{
		"restarted before": {func(*unstructured.Unstructured, map[string]any) {}, Workload{Found: true, Version: "w/5", Allowed: "etl", RestartedAt: at("11:00:00"), DataRevisions: map[string]string{"a": "e1"}}},
		"being deleted": {func(o *unstructured.Unstructured, _ map[string]any) {
			o.SetDeletionTimestamp(&metav1.Time{Time: at("11:00:00")})
		},
			Workload{Version: "w/5", Allowed: "etl", RestartedAt: at("11:00:00"), DataRevisions: map[string]string{"a": "e1"}}},
		"a time that is none": {func(_ *unstructured.Unstructured, a map[string]any) {
			a["cdpcredentials.io/restarted-at"] = "yesterday"
		}, Workload{Found: true, Version: "w/5", Allowed: "etl", DataRevisions: map[string]string{"a": "e1"}}},
		"revisions that are none": {func(_ *unstructured.Unstructured, a map[string]any) { a["cdpcredentials.io/restarted-for"] = "[" }, Workload{Found: true, Version: "w/5", Allowed: "etl", RestartedAt: at("11:00:00")}},
	} {
		annotations := map[string]any{"cdpcredentials.io/restarted-at": "2026-03-01T11:00:00Z", "cdpcredentials.io/restarted-for": `{"a":"e1"}`}
		obj := WorkloadReference("marketing", v1alpha1.RolloutRestart{Kind: "Deployment", Name: "web"})
		obj.SetUID("w")
		obj.SetResourceVersion("5")
		obj.SetAnnotations(map[string]string{"cdpcredentials.io/allow-restart": "etl"})
		tc.given(obj, annotations)
		if err := unstructured.SetNestedMap(obj.Object, annotations, "spec", "template", "metadata", "annotations"); err != nil {
			t.Fatal(err)
		}
		got, err := WorkloadOf(obj)
		if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v, -want +got:\n%s", name, err, diff)
		}
	}
	strange := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"template": "x"}}}
	if _, err := WorkloadOf(strange); err == nil {
		t.Error("a template that is none was read")
	}
}

func TestRestartPatchChangesTheTemplateOfThisVersion(t *testing.T) {
	t.Parallel()
	w := &Workload{Version: "w/5"}
	got, err := w.RestartPatch(map[string]string{"a": "e1"}, at("11:00:00").In(time.FixedZone("CET", 3600)))
	want := `{"metadata":{"resourceVersion":"5","uid":"w"},"spec":{"template":{"metadata":{"annotations":` +
		`{"cdpcredentials.io/restarted-at":"2026-03-01T11:00:00Z","cdpcredentials.io/restarted-for":"{\"a\":\"e1\"}"}}}}}`
	if diff := cmp.Diff(want, string(got)); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}

func TestWorkloadReferenceNamesIt(t *testing.T) {
	t.Parallel()
	got := WorkloadReference("marketing", v1alpha1.RolloutRestart{Kind: "DaemonSet", Name: "web"})
	if got.GetAPIVersion() != "apps/v1" || got.GetKind() != "DaemonSet" || got.GetNamespace() != "marketing" || got.GetName() != "web" {
		t.Errorf("got %v", got)
	}
	secret := SecretMetadata("marketing", "etl-token")
	if secret.APIVersion != "v1" || secret.Kind != "Secret" || secret.Namespace != "marketing" || secret.Name != "etl-token" {
		t.Errorf("got %v", secret)
	}
}

func TestRestartStatusIsFoundByKindAndName(t *testing.T) {
	t.Parallel()
	told := []v1alpha1.RolloutRestartStatus{{Kind: "StatefulSet", Name: "web", DataRevision: "e1"}, {Kind: "Deployment", Name: "web"}, {Kind: "Deployment", Name: "api", DataRevision: "e2"}}
	for ref, want := range map[v1alpha1.RolloutRestart]string{
		{Kind: "Deployment", Name: "api"}: "e2", {Kind: "StatefulSet", Name: "web"}: "e1", {Kind: "Deployment", Name: "web"}: "", {Kind: "StatefulSet", Name: "api"}: "",
	} {
		got := ""
		if entry := RestartStatusOf(told, ref); entry != nil {
			got = entry.DataRevision
		}
		if got != want {
			t.Errorf("%v: got %q, want %q", ref, got, want)
		}
	}
}

func TestRestartEntryOfEachOutcome(t *testing.T) {
	t.Parallel()
	o := &RestartState{Workload: v1alpha1.RolloutRestart{Kind: "Deployment", Name: "web"}, DataRevision: "e2", Status: &v1alpha1.RolloutRestartStatus{DataRevision: "e1", Reason: "RolloutRestartDisabled", Message: "x"}}
	now := at("11:00:00.9")
	for name, tc := range map[string]struct{ got, want v1alpha1.RolloutRestartStatus }{
		"restarted": {o.Restarted(now), v1alpha1.RolloutRestartStatus{Kind: "Deployment", Name: "web", DataRevision: "e2", LastRestartTime: second("11:00:00")}},
		"blocked":   {o.Blocked("RolloutRestartForbidden", "grant it"), v1alpha1.RolloutRestartStatus{Kind: "Deployment", Name: "web", DataRevision: "e1", Reason: "RolloutRestartForbidden", Message: "grant it"}},
		"on again":  {o.EntryStatus(), v1alpha1.RolloutRestartStatus{Kind: "Deployment", Name: "web", DataRevision: "e1"}},
		"a new one": {(&RestartState{Workload: o.Workload, DataRevision: "e2"}).EntryStatus(), v1alpha1.RolloutRestartStatus{Kind: "Deployment", Name: "web", DataRevision: "e2"}},
		"still amiss": {(&RestartState{Workload: o.Workload, Status: &v1alpha1.RolloutRestartStatus{DataRevision: "e1", Reason: "RolloutRestartFailed", Message: "x"}}).EntryStatus(),
			v1alpha1.RolloutRestartStatus{Kind: "Deployment", Name: "web", DataRevision: "e1", Reason: "RolloutRestartFailed", Message: "x"}},
	} {
		if diff := cmp.Diff(tc.want, tc.got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}
