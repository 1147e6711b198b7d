// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"
)

const (
	// maxQuickRepairs is the total weight of quick repairs beyond which they are a contest. A repair that costs a token weighs 2.
	maxQuickRepairs = 5
	// repairWindow is how soon after a repair the next one still adds to it. A token can be restored every 10 s only.
	repairWindow = 2 * MinIssueInterval
)

// quickRepairs are the latest repairs of a target by this process.
type quickRepairs struct {
	Weight int
	Last   time.Time
}

// Plus adds a repair.
func (q quickRepairs) Plus(weight int, now time.Time) quickRepairs {
	if !q.recent(now) {
		q.Weight = 0
	}
	return quickRepairs{Weight: q.Weight + weight, Last: now}
}

func (q quickRepairs) recent(now time.Time) bool {
	return !q.Last.IsZero() && now.Before(q.Last.Add(repairWindow))
}
