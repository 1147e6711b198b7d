// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestQueuePriorityRisesTowardsExpiry(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		left time.Duration
		want int
	}{
		"a day left":        {24 * time.Hour, 0},
		"ten minutes left":  {10 * time.Minute, 0},
		"nine minutes left": {9 * time.Minute, 60},
		"a second left":     {time.Second, 599},
		"expired":           {0, 600},
		"expired long ago":  {-48 * time.Hour, 600},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := QueuePriority(&metav1.Time{Time: now.Add(tc.left)}, now); got != tc.want {
				t.Errorf("got %d, not %d", got, tc.want)
			}
		})
	}
	if got := QueuePriority(nil, now); got != 0 {
		t.Errorf("an object without an expiry has urgency %d", got)
	}
}
