// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
)

// A Turn is the gate's answer to the exchange that a plan wants. The zero Turn: the gate was not asked.
type Turn struct {
	Granted bool
	// Delay is why the exchange has to wait. Since is when it began to.
	Delay *egress.Delay
	Since time.Time
}
