// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"time"

	"golang.org/x/time/rate"
)

// unplannedShare is the part of the rate that unplanned calls may use. Many objects that are let in at the full rate come back at the full
// rate when their tokens are renewed; without a reserve, a chance pile-up would never be worked off, and renewals would be late by many
// seconds.
const unplannedShare = 0.9

func rateLimiters(qps float64) (all, unplanned *rate.Limiter) {
	burst := max(1, int(qps))
	return rate.NewLimiter(rate.Limit(qps), burst), rate.NewLimiter(rate.Limit(qps*unplannedShare), burst)
}

// hasRate reports whether the rate allows a call now.
func (h *host) hasRate(t time.Time, planned bool) bool {
	return h.rate.TokensAt(t) >= 1 && (planned || h.unplannedRate.TokensAt(t) >= 1)
}

// rateAt is when the rate allows the next call.
func (h *host) rateAt(t time.Time, planned bool) time.Time {
	wait := (1 - h.rate.TokensAt(t)) / h.qps
	if !planned {
		wait = max(wait, (1-h.unplannedRate.TokensAt(t))/(h.qps*unplannedShare))
	}
	if wait <= 0 {
		return t
	}
	return t.Add(time.Duration(min(wait, 1e6)*float64(time.Second)) + time.Microsecond) // rounded up, so as not to be too early
}

func (h *host) useRate(t time.Time, planned bool) {
	h.rate.AllowN(t, 1)
	if !planned {
		h.unplannedRate.AllowN(t, 1)
	}
}
