package controllers

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// statusPatch is the merge patch (RFC 7396) that makes a status of what is saved, nil if there is nothing to change. Nobody else writes status,
// so that it needs no lock; but it must not land on another object of the same name.
func statusPatch(uid types.UID, saved, status *v1alpha1.CDPCredentialStatus) ([]byte, error) {
	changed := changedFields(reflect.ValueOf(saved).Elem(), reflect.ValueOf(status).Elem())
	if len(changed) == 0 {
		return nil, nil
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": uid}, "status": changed})
	if err != nil {
		return nil, fmt.Errorf("write the status patch: %w", err)
	}
	return patch, nil
}

// changedFields has what makes one struct of another of its type, by the names in JSON; nil takes a field away.
func changedFields(before, after reflect.Value) map[string]any {
	patch := map[string]any{}
	for i := range after.NumField() {
		was, is := before.Field(i), after.Field(i)
		if equality.Semantic.DeepEqual(was.Interface(), is.Interface()) {
			continue
		}
		name, options, _ := strings.Cut(after.Type().Field(i).Tag.Get("json"), ",")
		_, whole := reflect.TypeAssert[json.Marshaler](is)
		switch {
		case options == "omitempty" && (is.IsZero() || is.Kind() == reflect.Slice && is.Len() == 0):
			patch[name] = nil
		case is.Kind() == reflect.Pointer && !whole && !was.IsNil():
			patch[name] = changedFields(was.Elem(), is.Elem())
		default:
			patch[name] = is.Interface()
		}
	}
	return patch
}
