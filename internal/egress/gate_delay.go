// SPDX-License-Identifier: Apache-2.0

package egress

import "time"

// The reasons of a Delay, which are label values of the metric endpoint_blocked_total.
const (
	// The operator's own limits.
	ReasonRate              = "rate"
	ReasonHostInFlight      = "host-in-flight"
	ReasonNamespaceInFlight = "namespace-in-flight"
	ReasonWorkers           = "workers"
	ReasonRefusals          = "refusals" // too many 400s, 401s and 403s in the last minute
	// The host throttles this client, or several clients.
	ReasonClientPaused = "client-paused"
	ReasonPaused       = "paused"
	// The host has failed several times in a row.
	ReasonBreaker = "breaker"
)

// Delay says that an object may not go yet. It is woken when it is its turn, and should not hold a worker until then.
type Delay struct {
	Reason string    // one of the Reason constants
	Since  time.Time // when it began to wait
	// For is when to ask again if it was not woken by then, in case the wake-up was lost. Always positive.
	For time.Duration
}
