// SPDX-License-Identifier: Apache-2.0

package slimcache

import (
	"reflect"
	"sync"
	"unique"
)

// Intern returns one copy of a text that thousands of objects have in common.
func Intern[T ~string](text T) T { return T(unique.Make(string(text)).Value()) }

// exact is a slice without the room for more that a decoder leaves.
func exact[T any](values []T) []T {
	if cap(values) == len(values) {
		return values
	}
	return append(make([]T, 0, len(values)), values...)
}

// like is text, as the copy that other is if they are equal.
func like(text, other string) string {
	if text == other {
		return other
	}
	return text
}

// values keeps one copy of each of a few values: an organization has one CA bundle and a handful of endpoints, and a thousand objects
// that name them.
type values[T any] struct {
	mu    sync.Mutex
	known []T
}

// maxInterned is how many values are kept once; there may be more, each of which then is with its object alone.
const maxInterned = 64

func (s *values[T]) one(value T) T {
	if reflect.ValueOf(&value).Elem().IsZero() {
		return value
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, known := range s.known {
		if reflect.DeepEqual(known, value) {
			s.known[0], s.known[i] = known, s.known[0] // the one that is asked for again and again is found first
			return known
		}
	}
	s.known = append(s.known[:min(len(s.known), maxInterned-1)], value)
	return value
}
