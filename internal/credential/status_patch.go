// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// An operation is a step of a JSON patch (RFC 6902).
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// timeFields are on the clock that lastAttempt names. They are written all or none: a deposed leader with another clock may have written some of them
// since this process read them, and a time would then be taken for one on the wrong clock.
var timeFields = []string{
	"tokenExpirationTime", "lastRefreshTime", "nextRefreshTime", "lastAttempt", "earlyAttempts", "contest", "repeatedUntil",
}

// StatusPatch returns the JSON patch from the saved status to the new one. Nil: they are equal. It tests the resourceVersion unless version is empty,
// as nobody else is supposed to write status. It always tests the UID, so that it does not land on a new object of the same name. This is why it is no
// merge patch: for the status subresource, the API server ignores a UID in one.
func StatusPatch(uid types.UID, version string, saved, status *v1alpha1.CDPCredentialStatus) ([]byte, error) {
	before, err := fieldsOf(saved)
	if err != nil {
		return nil, err
	}
	after, err := fieldsOf(status)
	if err != nil {
		return nil, err
	}
	changes := changedFields(before, after)
	switch {
	case len(changes) == 0:
		return nil, nil
	case len(before) == 0:
		changes = []operation{{"add", "/status", status}} // a field can only be added to a status that exists
	}
	patch := []operation{{"test", "/metadata/uid", uid}}
	if version != "" {
		patch = append(patch, operation{"test", "/metadata/resourceVersion", version})
	}
	return json.Marshal(append(patch, changes...))
}

// fieldsOf returns the JSON of each field that is set.
func fieldsOf(status *v1alpha1.CDPCredentialStatus) (map[string]json.RawMessage, error) {
	text, err := json.Marshal(status)
	if err != nil {
		return nil, fmt.Errorf("encode the status: %w", err)
	}
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, fmt.Errorf("decode the status: %w", err)
	}
	return fields, nil
}

// changedFields returns the operations that set the fields of after. A field that is no longer set becomes null, which the API server does not store:
// an operation "remove" would fail if it is gone already.
func changedFields(before, after map[string]json.RawMessage) []operation {
	changed := map[string]bool{}
	for _, fields := range []map[string]json.RawMessage{before, after} {
		for name := range fields {
			if !bytes.Equal(before[name], after[name]) {
				changed[name] = true
			}
		}
	}
	if slices.ContainsFunc(timeFields, func(name string) bool { return changed[name] }) {
		for _, name := range timeFields {
			changed[name] = true
		}
	}
	var operations []operation
	for _, name := range slices.Sorted(maps.Keys(changed)) {
		operations = append(operations, operation{"add", "/status/" + name, after[name]})
	}
	return operations
}
