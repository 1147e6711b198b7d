// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"
)

const (
	// maxQuickRepairs is how much may be repaired at once before that is a contest. A token counts twice: it costs an exchange.
	maxQuickRepairs = 5
	// repairWindow is how soon after a repair the next one counts together with it. A token can be restored every 10 s only.
	repairWindow = 2 * MinIssueInterval
)

// quickRepairs are the last repairs of a target that one process has made.
type quickRepairs struct {
	Weight int
	Last   time.Time
}

// Plus is q with one more.
func (q quickRepairs) Plus(weight int, now time.Time) quickRepairs {
	if !q.recent(now) {
		q.Weight = 0
	}
	return quickRepairs{Weight: q.Weight + weight, Last: now}
}

func (q quickRepairs) recent(now time.Time) bool {
	return !q.Last.IsZero() && now.Before(q.Last.Add(repairWindow))
}
