// SPDX-License-Identifier: Apache-2.0

package slimcache

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBucketSpreadsValues: equal values are in the same bucket, others are spread, and no bucket is named twice.
func TestBucketSpreadsValues(t *testing.T) {
	t.Parallel()
	members := map[string]int{}
	for i := range 25_600 {
		members[Bucket(fmt.Sprintf("etl-%d-token", i))]++
	}
	if len(members) != 256 {
		t.Errorf("%d buckets, want 256", len(members))
	}
	for name, n := range members {
		if n < 50 || n > 150 {
			t.Errorf("bucket %s has %d members, want about 100", name, n)
		}
	}
	if diff := cmp.Diff([]string{Bucket("a"), Bucket("b")}, Buckets([]string{"a", "b", "a"})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := Buckets(nil); got != nil {
		t.Errorf("of nothing: %v", got)
	}
}
