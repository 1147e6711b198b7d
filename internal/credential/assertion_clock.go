// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"errors"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// An AssertionClock is what a process knows of the clock by which an endpoint judges assertions: they live for a minute.
type AssertionClock struct {
	// Offset is the endpoint's clock minus ours, zero if that is too little to matter.
	Offset time.Duration
	// corrected says that the next attempt is made only because the offset was wrong. There is no second one for the same reason: it is refused for
	// something else then.
	corrected bool
}

// Accepted learns from an answer with a token.
func (c *AssertionClock) Accepted(skew time.Duration, known bool) {
	c.corrected = false
	if known {
		c.Offset = worthCorrecting(skew)
	}
}

// Refused learns from a refusal of an assertion that was made with an offset, and reports whether that was wrong, so that another attempt is
// worth its price. An endpoint that says nothing of its clock is taken to have ours.
func (c *AssertionClock) Refused(used, skew time.Duration) bool {
	c.Offset = worthCorrecting(skew)
	c.corrected = (c.Offset-used).Abs() > maxSkew && !c.corrected
	return c.corrected
}

func worthCorrecting(skew time.Duration) time.Duration {
	if skew.Abs() <= maxSkew {
		return 0
	}
	return skew
}

// RefusedAssertion reports whether an assertion was refused, perhaps for its times, and how far the endpoint's clock is ahead of ours.
func RefusedAssertion(req exchange.Request, err error) (skew time.Duration, refused bool) {
	e, ok := errors.AsType[*exchange.Error](err)
	if !ok || !req.Flow.Asserts() || e.Kind != exchange.Rejected {
		return 0, false
	}
	return e.Skew, true
}
