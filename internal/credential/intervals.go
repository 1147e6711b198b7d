// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"
)

// MinIssueInterval is the least time between two tokens issued for one object.
const MinIssueInterval = 10 * time.Second
