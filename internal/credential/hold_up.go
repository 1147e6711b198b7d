// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"fmt"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
)

// heldUpAfter is how long an exchange may wait for its turn before status says so.
const heldUpAfter = time.Minute

// A HoldUp is why an exchange waits at the gate, and since when.
type HoldUp struct {
	By    HoldUpCause
	Since time.Time
}

// HoldUpCause is what makes an exchange wait. The causes get worse in this order, and only a worse one replaces what was reported, so that it does not
// flap.
type HoldUpCause int

const (
	byOurLimits HoldUpCause = iota + 1
	byThrottling
	byOutage
)

// HoldUpCauseOf returns the cause for the gate's reason of a delay.
func HoldUpCauseOf(reason string) HoldUpCause {
	switch reason {
	case egress.ReasonPaused, egress.ReasonClientPaused:
		return byThrottling
	case egress.ReasonBreaker:
		return byOutage
	}
	return byOurLimits
}

// long reports whether it has lasted long enough to be reported.
func (h *HoldUp) long(now time.Time) bool { return h != nil && now.Sub(h.Since) >= heldUpAfter }

// Failure is what is reported of it.
func (h *HoldUp) Failure(s *State) *Failure {
	host := hostOf(s.Desired.Endpoint)
	switch h.By {
	case byOutage:
		return &Failure{Reason: v1alpha1.ReasonEndpointUnavailable, Message: fmt.Sprintf(
			"%s has failed several times in a row and gets one request at a time until it answers, so the next token has to wait: if this lasts, check the vendor's "+
				"status page, DNS, the network policy and the proxy", host)}
	case byThrottling:
		return &Failure{Reason: v1alpha1.ReasonThrottled, Message: fmt.Sprintf(
			"%s throttles (it answered 429, perhaps to others), and the next token waits until it takes requests again: ask the vendor for a higher limit if this lasts", host)}
	}
	return &Failure{Reason: v1alpha1.ReasonThrottled, Message: fmt.Sprintf(
		"the operator's own limits delay the next token: too many requests to %s, or of this namespace, are waiting; if this lasts, ask whoever runs the "+
			"operator to raise --token-endpoint-qps or --token-endpoint-in-flight", host)}
}
