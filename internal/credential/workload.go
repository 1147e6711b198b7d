// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A Workload is what was read of a workload.
type Workload struct {
	Found   bool
	Version string
	// Allowed is the annotation that names the objects that may restart it.
	Allowed     string
	RestartedAt time.Time
	// DataRevisions has the data revisions that it was last restarted for, by the restartKey of their objects.
	DataRevisions map[string]string
}

// Allows reports whether an object may restart the workload. Whoever runs the workload has to consent, as the object's author may have no rights over
// workloads.
func (w *Workload) Allows(object string) bool {
	for entry := range strings.SplitSeq(w.Allowed, ",") {
		if entry = strings.TrimSpace(entry); entry == "*" || entry == object {
			return true
		}
	}
	return false
}

// WorkloadOf returns what a workload says of restarts. Unreadable annotations of ours count as missing: anybody may have written them.
func WorkloadOf(obj *unstructured.Unstructured) (Workload, error) {
	w := Workload{
		Found: obj.GetDeletionTimestamp() == nil, Version: VersionOf(obj),
		Allowed: obj.GetAnnotations()[v1alpha1.AllowRestartAnnotation],
	}
	annotations, _, err := unstructured.NestedStringMap(obj.Object, "spec", "template", "metadata", "annotations")
	if err != nil {
		return Workload{}, fmt.Errorf("read the workload's template: %w", err)
	}
	if at, err := time.Parse(time.RFC3339, annotations[v1alpha1.RestartedAtAnnotation]); err == nil {
		w.RestartedAt = at
	}
	_ = json.Unmarshal([]byte(annotations[v1alpha1.RestartedForAnnotation]), &w.DataRevisions)
	return w, nil
}

// RestartPatch returns the merge patch that changes the pod template, as kubectl rollout restart does. It fails if the workload has changed since it was
// read.
func (w *Workload) RestartPatch(dataRevisions map[string]string, now time.Time) ([]byte, error) {
	restartedFor, err := json.Marshal(dataRevisions)
	if err != nil {
		return nil, err
	}
	uid, resourceVersion := SplitVersion(w.Version)
	return json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": uid, "resourceVersion": resourceVersion},
		"spec": map[string]any{"template": map[string]any{"metadata": map[string]any{"annotations": map[string]any{
			v1alpha1.RestartedAtAnnotation: now.UTC().Format(time.RFC3339), v1alpha1.RestartedForAnnotation: string(restartedFor),
		}}}},
	})
}
