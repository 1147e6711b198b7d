package credential

import (
	"encoding/json"
	"fmt"
	"reflect"
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

// changedFields makes one status of another. A field that goes is set to null, which is not stored: to remove it would fail where it is gone.
func changedFields(before, after reflect.Value) []operation {
	var patch []operation
	for i := range after.NumField() {
		was, is := before.Field(i), after.Field(i)
		if equality.Semantic.DeepEqual(was.Interface(), is.Interface()) {
			continue
		}
		name, options, _ := strings.Cut(after.Type().Field(i).Tag.Get("json"), ",")
		value := is.Interface()
		if options == "omitempty" && (is.IsZero() || is.Kind() == reflect.Slice && is.Len() == 0) {
			value = nil
		}
		patch = append(patch, operation{"add", "/status/" + name, value})
	}
	return patch
}
