// SPDX-License-Identifier: Apache-2.0

package slimcache

import (
	"hash/fnv"
	"slices"
)

// An index keeps a set of some hundred bytes for each of its values, and nearly all sets here would have one member. So values are hashed into
// buckets with many members, and callers filter what they find.

// Bucket returns the bucket of a value, one of 256.
func Bucket(value string) string {
	const names = "0123456789abcdef"
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(value)) // it never fails
	sum := hash.Sum32()
	return string([]byte{names[sum>>4&15], names[sum&15]})
}

// Buckets returns the buckets of several values, without duplicates.
func Buckets(values []string) []string {
	var found []string
	for _, value := range values {
		if b := Bucket(value); !slices.Contains(found, b) {
			found = append(found, b)
		}
	}
	return found
}
