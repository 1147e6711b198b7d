// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"
)

const (
	// MinIssueInterval is the least time between two tokens that are issued for one object.
	MinIssueInterval = 10 * time.Second
	// CacheLag is how long to wait before checking again whether the cache has caught up.
	CacheLag = 100 * time.Millisecond
	// MaxLag is how long a cache may take to catch up.
	MaxLag = 10 * time.Second
)
