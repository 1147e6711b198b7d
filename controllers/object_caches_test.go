// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

// TestObjectCacheIsOneForEachObject: an object has one memory until it is forgotten, or another object has its name.
func TestObjectCacheIsOneForEachObject(t *testing.T) {
	t.Parallel()
	var m objectCaches
	name := types.NamespacedName{Namespace: "marketing", Name: "etl"}
	first := m.of(name, "1")
	first.Verification.Rejected = "seal"
	if m.of(name, "1") != first {
		t.Error("the memory was lost")
	}
	if m.of(types.NamespacedName{Namespace: "sales", Name: "etl"}, "1") == first {
		t.Error("two namespaces share a memory")
	}
	second := m.of(name, "2")
	if second == first || second.Verification.Rejected != "" {
		t.Errorf("another object of the same name has the memory of the first: %+v", second)
	}
	m.forget(name)
	if m.of(name, "2") == second {
		t.Error("it was not forgotten")
	}
	m.forget(types.NamespacedName{Namespace: "never", Name: "seen"})
}

// TestObjectCachesAreSafeForConcurrentUse is for the race detector, too.
func TestObjectCachesAreSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	var m objectCaches
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			name := types.NamespacedName{Namespace: "marketing", Name: fmt.Sprint(i % 10)}
			if i%5 == 0 {
				m.forget(name)
			}
			m.of(name, "1")
		})
	}
	all.Wait()
	if len(m.objects) != 10 {
		t.Errorf("it knows %d objects", len(m.objects))
	}
}
