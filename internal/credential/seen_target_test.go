// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"fmt"
	"testing"
)

// TestSawTargetKeepsTheLastFew keeps the last few names, and does not grow with the number of renamings.
func TestSawTargetKeepsTheLastFew(t *testing.T) {
	t.Parallel()
	var cache TargetMemory
	for i := range 1000 {
		name := fmt.Sprint(i)
		cache.SawTarget(SeenTarget{Name: name, Version: "t/9", Content: ContentEdited, Unusable: "is immutable"})
		if seen, known := cache.Find(name); !known || seen != (SeenTarget{Name: name, Version: "t/9", Content: ContentEdited, Unusable: "is immutable"}) {
			t.Fatalf("%s is not known: %+v", name, seen)
		}
		if len(cache.Seen) > 10 {
			t.Fatalf("it knows %d names", len(cache.Seen))
		}
	}
	cache.SawTarget(SeenTarget{Name: "999", Version: "t/10"})
	if seen, _ := cache.Find("999"); seen.Version != "t/10" {
		t.Errorf("got %+v", seen)
	}
	cache.ForgetTarget("999")
	if seen, known := cache.Find("999"); known {
		t.Errorf("got %+v, though it was to be forgotten", seen)
	}
}
