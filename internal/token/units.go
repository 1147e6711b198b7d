// SPDX-License-Identifier: Apache-2.0

package token

import (
	"math"
	"time"
)

// Seconds converts a number of seconds to a duration. A number that is too large gives the longest duration, which Life refuses as absurd
// unless the token has an earlier expiry; NaN gives 0.
func Seconds(n float64) time.Duration { return scale(n, time.Second) }

// Minutes is Seconds for a number of minutes.
func Minutes(n float64) time.Duration { return scale(n, time.Minute) }

// Milliseconds is Seconds for a number of milliseconds.
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
