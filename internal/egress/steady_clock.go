// SPDX-License-Identifier: Apache-2.0

package egress

import "time"

// steadyClock is a monotonic clock derived from one that may be set back.
type steadyClock struct{ seen, time time.Time }

// at returns the steady time. Callers that read their clock slightly earlier than others do not set it back.
func (c *steadyClock) at(now time.Time) time.Time {
	switch passed := now.Sub(c.seen); {
	case c.seen.IsZero():
		c.seen, c.time = now, now
	case passed > 0:
		c.seen, c.time = now, c.time.Add(passed)
	case passed < -time.Second:
		c.seen = now
	}
	return c.time
}

// earliestAfter is the first of the times that is after t. Zero: there is none.
func earliestAfter(t time.Time, times ...time.Time) time.Time {
	var first time.Time
	for _, at := range times {
		if at.After(t) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}
