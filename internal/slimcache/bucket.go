// SPDX-License-Identifier: Apache-2.0

package slimcache

import (
	"hash/fnv"
	"slices"
)

// A cache's index keeps a set for each of its values, some hundred bytes where, as here, nearly all have one member. So the values are sorted
// into buckets, each of which has many members; who asks leaves out those that are not meant.

// Bucket is the one of 256 that a value is in.
func Bucket(value string) string {
	const names = "0123456789abcdef"
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(value)) // it never fails
	sum := hash.Sum32()
	return string([]byte{names[sum>>4&15], names[sum&15]})
}

// Buckets are those of some values, each once.
func Buckets(values []string) []string {
	var found []string
	for _, value := range values {
		if b := Bucket(value); !slices.Contains(found, b) {
			found = append(found, b)
		}
	}
	return found
}
