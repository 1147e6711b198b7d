// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"slices"
	"strings"
)

// A Secret that was handed over to us may hold keys of others. Then we set no owner reference, since the garbage collector would delete their keys
// with ours; when the object is deleted, only our keys are removed.

const (
	// SomeForeign stands for keys of which the names are not known.
	SomeForeign = "…"
	// maxForeign bounds how many names are kept of one Secret.
	maxForeign = 16
)

// foreignKeys names the keys in a Secret's data that we did not write, with a slash, which no key has, between any two. Of many it names the first.
func foreignKeys(data map[string][]byte, rec *PersistedState) string {
	var names []string
	for _, key := range SortedKeys(data) {
		if rec != nil && slices.Contains(rec.Keys, key) {
			continue
		}
		if names = append(names, key); len(names) > maxForeign {
			names[maxForeign] = SomeForeign
			break
		}
	}
	return strings.Join(names, "/")
}

// Without takes our own names out of those of foreign keys: we write them from now on.
func Without(foreign string, ours []string) string {
	if foreign == "" {
		return ""
	}
	return strings.Join(slices.DeleteFunc(strings.Split(foreign, "/"), func(key string) bool { return slices.Contains(ours, key) }), "/")
}
