// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
)

// A Turn is what the gate says of the exchange that a plan wants. Zero: it was not asked.
type Turn struct {
	Granted bool
	// Delay is why it is not the object's turn, and Since when it began to wait.
	Delay *egress.Delay
	Since time.Time
}
