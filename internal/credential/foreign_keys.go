// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"slices"
	"strings"
)

// A Secret that was handed over to us may hold keys of others. Then we set no owner reference, since the garbage collector would delete their keys
// with ours; when the object is deleted, only our keys are removed.

const (
	// SomeForeign stands for keys whose names are unknown.
	SomeForeign = "…"
	// maxForeign bounds how many names are remembered of one Secret.
	maxForeign = 16
)

// foreignKeys returns the names of the keys that we did not write, separated by slashes, which no name contains. If there are many, the rest is
// SomeForeign.
func foreignKeys(data map[string][]byte, written *PersistedState) string {
	var names []string
	for _, key := range SortedKeys(data) {
		if written != nil && slices.Contains(written.Keys, key) {
			continue
		}
		if names = append(names, key); len(names) > maxForeign {
			names[maxForeign] = SomeForeign
			break
		}
	}
	return strings.Join(names, "/")
}

// Without removes our own names from those of foreign keys: from now on we write them.
func Without(foreign string, ours []string) string {
	if foreign == "" {
		return ""
	}
	return strings.Join(slices.DeleteFunc(strings.Split(foreign, "/"), func(key string) bool { return slices.Contains(ours, key) }), "/")
}
