package controllers

import (
	"errors"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// An assertionClock is what a process knows of the clock by which an endpoint judges assertions: they live for a minute.
type assertionClock struct {
	// offset is the endpoint's clock minus ours, zero if that is too little to matter.
	offset time.Duration
	// corrected says that the next attempt is made only because the offset was wrong. There is no second one for the same reason: it is refused for
	// something else then.
	corrected bool
}

// accepted learns from an answer with a token.
func (c *assertionClock) accepted(skew time.Duration, known bool) {
	c.corrected = false
	if known {
		c.offset = worthCorrecting(skew)
	}
}

// refused learns from a refusal of an assertion that was made with an offset, and reports whether that was wrong, so that another attempt is
// worth its price. An endpoint that says nothing of its clock is taken to have ours.
func (c *assertionClock) refused(used, skew time.Duration) bool {
	c.offset = worthCorrecting(skew)
	c.corrected = (c.offset-used).Abs() > maxSkew && !c.corrected
	return c.corrected
}

func worthCorrecting(skew time.Duration) time.Duration {
	if skew.Abs() <= maxSkew {
		return 0
	}
	return skew
}

// refusedAssertion reports whether an assertion was refused, perhaps for its times, and how far the endpoint's clock is ahead of ours.
func refusedAssertion(req exchange.Request, err error) (skew time.Duration, refused bool) {
	e, ok := errors.AsType[*exchange.Error](err)
	if !ok || !req.Flow.Asserts() || e.Kind != exchange.Rejected {
		return 0, false
	}
	return e.Skew, true
}
