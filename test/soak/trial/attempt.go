// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"cmp"
	"slices"
	"time"
)

// A pace is how the contract (design.md section 4) lets an object try again after an attempt.
type pace int

const (
	succeeded   pace = iota
	unavailable      // 2 s, doubling; five in a row open the endpoint's breaker
	malformed        // the same for the object; the endpoint answers
	throttled        // when the endpoint says, for all its objects
)

// An attempt is one request to a token endpoint, as the endpoint saw it.
type attempt struct {
	at       time.Time
	endpoint string
	client   string
	// fault names what went wrong on purpose. Empty: nothing.
	fault string
	pace  pace
	// busy is how long it takes until the sender knows, at most.
	busy time.Duration
	// retryAfter is that of a throttled one; zero: it did not say.
	retryAfter time.Duration
	// spoils says that a token was issued all the same.
	spoils bool
}

// after is the least that passes after a time that the operator was given, which it keeps in whole seconds, rounded up.
const after = time.Second

// slow is an answer that is waited for long enough to matter.
const slow = 2 * time.Second

// exchangeTimeout is that of the contract.
const exchangeTimeout = 15 * time.Second

func (a attempt) done() time.Time { return a.at.Add(a.busy) }

// waits are the times in which one object's own retries wait as the contract paces them. alive says until when the token is good that the
// object held at a time; zero: it held none.
func waits(attempts []attempt, alive func(time.Time) time.Time) []blockage {
	var list []blockage
	row := 0
	for _, a := range attempts {
		if a.pace == succeeded {
			row = 0
			if a.busy >= slow {
				list = append(list, blockage{a.at, a.done(), "fault: " + a.fault})
			}
			continue
		}
		pause := doubled(2*time.Second, row)
		switch {
		case a.pace == throttled && a.retryAfter > 0:
			pause = a.retryAfter
		case a.pace == throttled:
			pause = doubled(30*time.Second, row) * 3 / 2
		default:
			if left := alive(a.done()).Sub(a.done()); left > 0 {
				pause = min(pause, max(left/4, 10*time.Second))
			}
		}
		list = append(list, blockage{a.at, a.done().Add(pause + after), "fault: " + a.fault})
		row++
	}
	return list
}

func doubled(first time.Duration, times int) time.Duration {
	const most = 5 * time.Minute
	for range times {
		if first >= most {
			break
		}
		first *= 2
	}
	return min(first, most)
}

// pauses are the times in which an endpoint is left alone by all its objects: after a 429, while its breaker is open, and while requests
// that hang take the two places that an endpoint in trouble has, or the one that it has after a 429.
func pauses(attempts []attempt) []blockage {
	attempts = slices.Clone(attempts)
	slices.SortStableFunc(attempts, func(a, b attempt) int { return a.done().Compare(b.done()) })
	return append(breakerPauses(attempts), hangs(attempts)...)
}

// breakerPauses are those after a 429 and while the breaker is open, of attempts in the order in which they ended.
func breakerPauses(attempts []attempt) []blockage {
	var list []blockage
	row, opened, probeAt := 0, time.Duration(0), time.Time{}
	for _, a := range attempts {
		switch a.pace {
		case throttled:
			pause := cmp.Or(a.retryAfter, 30*time.Second)
			list = append(list, blockage{a.done(), a.done().Add(min(pause, time.Minute) + after), "pause after 429"})
			row, opened = 0, 0
		case unavailable:
			if row++; row < 5 || opened > 0 && a.at.Before(probeAt) {
				break
			}
			if opened > 0 {
				list = append(list, blockage{a.at, a.done(), "breaker"})
			}
			opened = min(max(2*opened, 10*time.Second), time.Minute)
			probeAt = a.done().Add(opened)
			list = append(list, blockage{a.done(), probeAt.Add(after), "breaker"})
		default:
			row, opened = 0, 0
		}
	}
	return list
}

// hangs are the times in which slow requests take all places, of attempts in the order in which they ended.
func hangs(attempts []attempt) []blockage {
	const why = "places taken by requests that hang"
	var list []blockage
	onePlace := false
	for i, a := range attempts {
		onePlace = onePlace || a.pace == throttled
		if a.busy >= slow && onePlace {
			list = append(list, blockage{a.at, a.done(), why})
		}
		if a.pace == succeeded {
			onePlace = false
		}
		if a.busy < slow {
			continue
		}
		for _, b := range attempts[i+1:] { // those that ended later
			if b.busy >= slow && b.at.Before(a.done()) {
				list = append(list, blockage{later(a.at, b.at), a.done(), why})
			}
		}
	}
	return list
}
