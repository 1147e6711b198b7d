package controllers

import (
	"fmt"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

// TestMemory: an object has one memory until it is forgotten, or another object has its name.
func TestMemory(t *testing.T) {
	t.Parallel()
	var m memory
	name := types.NamespacedName{Namespace: "marketing", Name: "etl"}
	first := m.of(name, "1")
	first.rejected = "seal"
	if m.of(name, "1") != first {
		t.Error("the memory was lost")
	}
	if m.of(types.NamespacedName{Namespace: "sales", Name: "etl"}, "1") == first {
		t.Error("two namespaces share a memory")
	}
	second := m.of(name, "2")
	if second == first || second.rejected != "" {
		t.Errorf("another object of the same name has the memory of the first: %+v", second)
	}
	m.forget(name)
	if m.of(name, "2") == second {
		t.Error("it was not forgotten")
	}
	m.forget(types.NamespacedName{Namespace: "never", Name: "seen"})
}

// TestMemoryOfMany is for the race detector, too.
func TestMemoryOfMany(t *testing.T) {
	t.Parallel()
	var m memory
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

// TestSawTarget keeps the last few names, and does not grow with the number of renamings.
func TestSawTarget(t *testing.T) {
	t.Parallel()
	var mem remembered
	for i := range 1000 {
		name := fmt.Sprint(i)
		mem.sawTarget(seenTarget{name: name, version: "t/9", content: edited, unusable: "is immutable"})
		if seen, known := mem.seen(name); !known || seen != (seenTarget{name: name, version: "t/9", content: edited, unusable: "is immutable"}) {
			t.Fatalf("%s is not known: %+v", name, seen)
		}
		if len(mem.targets) > 10 {
			t.Fatalf("it knows %d names", len(mem.targets))
		}
	}
	mem.sawTarget(seenTarget{name: "999", version: "t/10"})
	if seen, _ := mem.seen("999"); seen.version != "t/10" {
		t.Errorf("got %+v", seen)
	}
	mem.forgetTarget("999")
	if seen, known := mem.seen("999"); known {
		t.Errorf("got %+v, though it was to be forgotten", seen)
	}
}

// TestOlder: what cannot be compared is not older, so that nothing is waited for that never comes.
func TestOlder(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		version, than string
		want          bool
	}{
		{"8", "9", true}, {"9", "9", false}, {"10", "9", false}, {"9", "10", true}, {"99999999999999999999", "100000000000000000000", true},
		{"8", "", false}, {"", "9", false}, {"", "", false}, {"a", "b", false}, {"8", "b", false}, {"-1", "9", false}, {"08", "9", false}, {"0", "9", false},
	} {
		if got := older(tc.version, tc.than); got != tc.want {
			t.Errorf("%q than %q: got %t", tc.version, tc.than, got)
		}
	}
}

// TestLags: the cache shows a Secret as it was before we wrote it, or looked into it.
func TestLags(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		found         bool
		cached, known string
		want          bool
	}{
		"as known":                         {true, "a/9", "a/9", false},
		"later":                            {true, "a/10", "a/9", false},
		"before our write":                 {true, "a/8", "a/9", true},
		"not there, or deleted":            {false, "/", "a/9", true},
		"made again since":                 {true, "b/12", "a/9", false},
		"of before it was made again":      {true, "a/8", "b/9", true},
		"versions that cannot be compared": {true, "a/x", "a/y", false},
	} {
		if got := lags(tc.found, tc.cached, tc.known); got != tc.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}
