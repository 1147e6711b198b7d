// SPDX-License-Identifier: Apache-2.0

package slimcache

import (
	"reflect"
	"sync"
	"unique"
)

// Intern returns the one copy of a string that many objects share.
func Intern[T ~string](text T) T { return T(unique.Make(string(text)).Value()) }

// exact returns a slice without the spare capacity that a decoder leaves.
func exact[T any](values []T) []T {
	if cap(values) == len(values) {
		return values
	}
	return append(make([]T, 0, len(values)), values...)
}

// like returns other if it equals text, so that the two share memory, and text otherwise.
func like(text, other string) string {
	if text == other {
		return other
	}
	return text
}

// values keeps one copy of each of a few values: an organization has one CA bundle and a handful of endpoints, but a thousand objects that
// refer to them.
type values[T any] struct {
	mu    sync.Mutex
	known []T
}

// maxInterned is how many values are shared. Objects with further values have copies of their own.
const maxInterned = 64

func (s *values[T]) one(value T) T {
	if reflect.ValueOf(&value).Elem().IsZero() {
		return value
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, known := range s.known {
		if reflect.DeepEqual(known, value) {
			s.known[0], s.known[i] = known, s.known[0] // frequent values are found first
			return known
		}
	}
	s.known = append(s.known[:min(len(s.known), maxInterned-1)], value)
	return value
}
