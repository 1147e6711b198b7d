// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// An operation is a step of a JSON patch (RFC 6902).
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// StatusPatch is the JSON patch that makes a status of what is saved, nil if there is nothing to change. Nobody else writes status, so that it
// needs no lock; but it must not land on another object of the same name. A merge patch would: of its metadata the API server reads only the
// resourceVersion when the status subresource is patched, so the UID has to be tested. The version is tested unless it is empty.
func StatusPatch(uid types.UID, version string, saved, status *v1alpha1.CDPCredentialStatus) ([]byte, error) {
	changed := changedFields(reflect.ValueOf(saved).Elem(), reflect.ValueOf(status).Elem())
	if len(changed) == 0 {
		return nil, nil
	}
	if reflect.ValueOf(*saved).IsZero() {
		changed = []operation{{"add", "/status", status}} // there is none to which fields could be added
	}
	tests := []operation{{"test", "/metadata/uid", uid}}
	if version != "" {
		tests = append(tests, operation{"test", "/metadata/resourceVersion", version})
	}
	patch, err := json.Marshal(append(tests, changed...))
	if err != nil {
		return nil, fmt.Errorf("write the status patch: %w", err)
	}
	return patch, nil
}

// together are the fields with times, which are all on the clock that lastAttempt names. A deposed leader whose clock differs may have written some of
// them since this process has seen them: they are written all or none, else a time would be read on another clock than it is on.
var together = []string{
	"tokenExpirationTime", "lastRefreshTime", "nextRefreshTime", "lastAttempt", "earlyAttempts", "contest", "repeatedUntil",
}

// changedFields makes one status of another. A field that goes is set to null, which is not stored: to remove it would fail where it is gone.
func changedFields(before, after reflect.Value) []operation {
	var all, patch []operation
	timesChanged := false
	for i := range after.NumField() {
		was, is := before.Field(i), after.Field(i)
		name, options, _ := strings.Cut(after.Type().Field(i).Tag.Get("json"), ",")
		op := operation{"add", "/status/" + name, is.Interface()}
		if options == "omitempty" && (is.IsZero() || is.Kind() == reflect.Slice && is.Len() == 0) {
			op.Value = nil
		}
		changed, timed := !equality.Semantic.DeepEqual(was.Interface(), is.Interface()), slices.Contains(together, name)
		timesChanged = timesChanged || changed && timed
		if changed || timed {
			all = append(all, op)
		}
		if changed {
			patch = append(patch, op)
		}
	}
	if timesChanged {
		return all
	}
	return patch
}
