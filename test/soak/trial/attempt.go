// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"cmp"
	"slices"
	"time"
)

// A pace is how soon the contract (design.md section 4) allows another attempt after this result.
type pace int

const (
	succeeded   pace = iota
	unavailable      // 2 s, doubling; five in a row open the endpoint's breaker
	malformed        // the same for the object, but the endpoint counts as available
	throttled        // the Retry-After, for all objects of the endpoint
)

// An attempt is a request to a token endpoint, as the endpoint saw it.
type attempt struct {
	at       time.Time
	endpoint string
	client   string
	// fault names the injected fault. Empty: none.
	fault string
	pace  pace
	// busy is how long the sender may wait for the result.
	busy time.Duration
	// retryAfter is the Retry-After of a 429. Zero: there was none.
	retryAfter time.Duration
	// spoils is set if a token was issued nevertheless.
	spoils bool
}

// after is how much later than planned an attempt may be: times in status have whole seconds, rounded up.
const after = time.Second

// slow is the duration from which waiting for an answer matters.
const slow = 2 * time.Second

// exchangeTimeout is the contract's timeout of an exchange.
const exchangeTimeout = 15 * time.Second

func (a attempt) done() time.Time { return a.at.Add(a.busy) }

// waits returns the times in which an object's own retries wait as the contract requires. alive returns the expiry of the token that the object had
// at a time. Zero: it had none.
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

// pauses returns the times in which no object of an endpoint may call it: after a 429, while its breaker is open, and while hanging requests occupy
// the two places of an endpoint in trouble, or its only place after a 429.
func pauses(attempts []attempt) []blockage {
	attempts = slices.Clone(attempts)
	slices.SortStableFunc(attempts, func(a, b attempt) int { return a.done().Compare(b.done()) })
	return append(breakerPauses(attempts), hangs(attempts)...)
}

// breakerPauses returns the pauses after a 429 and the times in which the breaker is open. The attempts are sorted by their end.
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

// hangs returns the times in which slow requests occupy all places. The attempts are sorted by their end.
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
