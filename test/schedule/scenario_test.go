// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"
)

// TestScheduleOfTenThousandAtOnceIsOnTime: ten thousand credentials with tokens of a quarter of an hour, all created at once, share one endpoint
// behind the default gate. Renewals are on time from the first one on, though the gate has almost no room to spare.
func TestScheduleOfTenThousandAtOnceIsOnTime(t *testing.T) {
	t.Parallel()
	o := scenario{objects: 10_000, lifetime: 15 * time.Minute, qps: 20, span: 45 * time.Minute}.live()
	t.Logf("first sync %s, %d renewals, late by %.2f s (median), %.2f s (99th percentile), %.2f s (maximum), %d in the busiest second, %.1f on average",
		o.firstSync, len(o.seconds), o.late(0.5), o.late(0.99), o.late(1), o.busiest, o.mean())
	if o.late(0.99) >= 2 || o.expired > 0 || float64(o.busiest) > 3*o.mean() || o.firstSync > 10*time.Minute || len(o.seconds) < 30_000 {
		t.Error("want less than 2 s for the 99th percentile, no token expired, the busiest second at most 3 times the average, the first sync within 10 minutes")
	}
}

func TestScheduleIsTheSameForTheSameSeed(t *testing.T) {
	t.Parallel()
	s := scenario{objects: 500, lifetime: time.Hour, qps: 5, span: 6 * time.Hour}
	if one, two := plot([]outcome{s.live()}), plot([]outcome{s.live()}); one != two {
		t.Error("two runs of a scenario have different plots")
	}
}
