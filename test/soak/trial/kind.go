// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// A kind is a way in which an endpoint misbehaves.
type kind struct {
	name   string
	pace   pace
	spoils bool // a token is issued, but cannot be used
	make   func(chance *rand.Rand, endpointClock time.Time) what
}

// A what is one fault of a kind.
type what struct {
	fault      *exchangetest.Fault
	busy       time.Duration // how long the sender may wait for the result
	retryAfter time.Duration
}

func simple(fault func() *exchangetest.Fault) func(*rand.Rand, time.Time) what {
	return func(*rand.Rand, time.Time) what { return what{fault: fault(), busy: 500 * time.Millisecond} }
}

// quickFaults are those that the operator notices at once. Retry-After is at most that many seconds.
func quickFaults(retryAfter int) []kind {
	return []kind{
		{"5xx", unavailable, false, func(chance *rand.Rand, _ time.Time) what {
			return what{fault: exchangetest.Answer(pick(chance, []int{500, 502, 503, 504})), busy: 500 * time.Millisecond}
		}},
		{"reset", unavailable, false, simple(exchangetest.Reset)},
		{"redirect", malformed, false, simple(func() *exchangetest.Fault {
			return exchangetest.Redirect(http.StatusTemporaryRedirect, "https://127.0.0.1:1/elsewhere")
		})},
		{"garbage", malformed, false, simple(exchangetest.Garbage)},
		{"HTML page", malformed, false, simple(func() *exchangetest.Fault { return exchangetest.HTML(http.StatusOK) })},
		{"answer without a token", malformed, true, simple(func() *exchangetest.Fault { return exchangetest.Without("access_token", "token") })},
		{deadToken, malformed, true, simple(exchangetest.Expired)},
		{"token unsafe in a header", malformed, true, simple(exchangetest.Unsafe)},
		{"429 with Retry-After", throttled, false, func(chance *rand.Rand, endpointClock time.Time) what {
			seconds := 1 + chance.IntN(retryAfter)
			said := strconv.Itoa(seconds)
			if chance.IntN(2) == 0 { // a date on the endpoint's own clock, which may be wrong
				said = endpointClock.Add(time.Duration(seconds) * time.Second).UTC().Format(http.TimeFormat)
			}
			return what{fault: exchangetest.Throttled(said), busy: 500 * time.Millisecond, retryAfter: time.Duration(seconds) * time.Second}
		}},
	}
}

// deadToken cannot be distinguished from a valid token if tokens are opaque and responses have no lifetime (Algonomy).
const deadToken = "dead token"

// slowFaults take time to be noticed, or to recover from.
func slowFaults() []kind {
	return []kind{
		{"hang", unavailable, false, func(*rand.Rand, time.Time) what { return what{fault: exchangetest.Hang(), busy: exchangeTimeout} }},
		{"delay", succeeded, false, func(chance *rand.Rand, _ time.Time) what {
			d := between(chance, 2*time.Second, 12*time.Second)
			return what{fault: &exchangetest.Fault{Delay: d}, busy: d + 500*time.Millisecond}
		}},
		{"slow drip", unavailable, true, func(chance *rand.Rand, _ time.Time) what {
			// Answers have 150 to 900 bytes: some arrive within the 15 s, some do not.
			return what{fault: exchangetest.Drip(between(chance, 5*time.Millisecond, 40*time.Millisecond)), busy: exchangeTimeout}
		}},
		{"429 without Retry-After", throttled, false, simple(func() *exchangetest.Fault { return exchangetest.Throttled("") })},
	}
}
