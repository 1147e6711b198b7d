// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"errors"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// An AssertionClock is what this process knows of the clock that an endpoint checks assertions against. Assertions live for one minute only.
type AssertionClock struct {
	// Offset is the endpoint's clock minus ours, or zero if the difference does not matter.
	Offset time.Duration
	// corrected says that the next attempt is made only because the offset was wrong. If that is refused too, the clock was not the reason.
	corrected bool
}

// Accepted learns from a successful answer.
func (c *AssertionClock) Accepted(skew time.Duration, known bool) {
	c.corrected = false
	if known {
		c.Offset = worthCorrecting(skew)
	}
}

// Refused learns from the refusal of an assertion that was made with the offset used. It reports whether that offset was wrong, so that another
// attempt is worth its price. An endpoint that does not tell its time is assumed to agree with ours.
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

// refusedAssertion reports whether the endpoint refused an assertion, possibly because of its times, and how far the endpoint's clock is ahead of ours.
func refusedAssertion(req exchange.Request, err error) (skew time.Duration, refused bool) {
	e, ok := errors.AsType[*exchange.Error](err)
	if !ok || !req.Flow.Asserts() || e.Kind != exchange.Rejected {
		return 0, false
	}
	return e.Skew, true
}
