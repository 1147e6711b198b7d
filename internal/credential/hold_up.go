// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"fmt"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
)

// heldUpAfter is how long an exchange waits for its turn before that is told.
const heldUpAfter = time.Minute

// A HoldUp is what an exchange waits for at the gate, and since when it is due.
type HoldUp struct {
	By    HoldUpCause
	Since time.Time
}

// HoldUpCause is who makes an exchange wait. Of several the greater one is told: what is told only ever gets worse, so that it does not flap.
type HoldUpCause int

const (
	byOurLimits HoldUpCause = iota + 1
	byThrottling
	byOutage
)

// HoldUpCauseOf returns the cause that belongs to the gate's reason for a delay.
func HoldUpCauseOf(reason string) HoldUpCause {
	switch reason {
	case egress.ReasonPaused, egress.ReasonClientPaused:
		return byThrottling
	case egress.ReasonBreaker:
		return byOutage
	}
	return byOurLimits
}

// long reports whether it is time to tell.
func (h *HoldUp) long(now time.Time) bool { return h != nil && now.Sub(h.Since) >= heldUpAfter }

// Failure is what is told of it.
func (h *HoldUp) Failure(s *State) *Failure {
	host := hostOf(s.Desired.Endpoint)
	switch h.By {
	case byOutage:
		return &Failure{Reason: v1alpha1.ReasonEndpointUnavailable, Message: fmt.Sprintf(
			"%s has failed several times in a row and is asked seldom until it answers, so that the next token waits for its turn: if this lasts, see the vendor's "+
				"status page, DNS, the network policy and the proxy", host)}
	case byThrottling:
		return &Failure{Reason: v1alpha1.ReasonThrottled, Message: fmt.Sprintf(
			"%s throttles (it answered 429, perhaps to others), and the next token waits until it takes requests again: ask the vendor for a higher limit if this lasts", host)}
	}
	return &Failure{Reason: v1alpha1.ReasonThrottled, Message: fmt.Sprintf(
		"the operator's own limits hold the next token up: too many requests to %s, or of this namespace, wait for their turn; if this lasts, ask whoever runs the "+
			"operator to raise --token-endpoint-qps or --token-endpoint-in-flight", host)}
}
