// SPDX-License-Identifier: Apache-2.0

package token

import (
	"math"
	"time"
)

// Seconds turns a number in a provider's own unit into a duration, as do Minutes and Milliseconds. A number too large for a duration gives
// the longest one, which Life then refuses as absurd unless the token itself says better; NaN gives 0.
func Seconds(n float64) time.Duration { return scale(n, time.Second) }

// Minutes is like Seconds.
func Minutes(n float64) time.Duration { return scale(n, time.Minute) }

// Milliseconds is like Seconds.
func Milliseconds(n float64) time.Duration { return scale(n, time.Millisecond) }

func scale(n float64, unit time.Duration) time.Duration {
	product := n * float64(unit)
	switch {
	case math.IsNaN(product):
		return 0
	case product >= math.MaxInt64:
		return math.MaxInt64
	case product <= math.MinInt64:
		return math.MinInt64
	}
	return time.Duration(product)
}
