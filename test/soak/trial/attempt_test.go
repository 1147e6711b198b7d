// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// span is a blockage, in seconds since the start.
type span struct {
	from, to float64
	why      string
}

func spans(list []blockage) []span {
	var out []span
	for _, b := range byStart(list) {
		out = append(out, span{b.from.Sub(start).Seconds(), b.to.Sub(start).Seconds(), b.why})
	}
	return out
}

func TestWaitsFollowTheBackoff(t *testing.T) {
	t.Parallel()
	fail := func(seconds float64) attempt { return attempt{at: at(seconds), fault: "503", pace: unavailable} }
	for name, tc := range map[string]struct {
		attempts []attempt
		alive    time.Time
		want     []span
	}{
		"2 s, doubling":                       {[]attempt{fail(0), fail(2), fail(6)}, time.Time{}, []span{{0, 3, "fault: 503"}, {2, 7, "fault: 503"}, {6, 15, "fault: 503"}}},
		"a success resets the backoff":        {[]attempt{fail(0), fail(2), {at: at(4)}, fail(30)}, time.Time{}, []span{{0, 3, "fault: 503"}, {2, 7, "fault: 503"}, {30, 33, "fault: 503"}}},
		"a quarter of the remaining lifetime": {[]attempt{fail(0), fail(1), fail(2), fail(3), fail(4)}, at(64), []span{{0, 3, "fault: 503"}, {1, 6, "fault: 503"}, {2, 11, "fault: 503"}, {3, 19.25, "fault: 503"}, {4, 20, "fault: 503"}}},
		"hangs":                               {[]attempt{{at: at(0), fault: "hang", pace: unavailable, busy: 15 * time.Second}}, time.Time{}, []span{{0, 18, "fault: hang"}}},
		"throttled with Retry-After":          {[]attempt{{at: at(0), fault: "429", pace: throttled, retryAfter: 7 * time.Second}}, time.Time{}, []span{{0, 8, "fault: 429"}}},
		"throttled without Retry-After":       {[]attempt{{at: at(0), fault: "429", pace: throttled}}, at(10), []span{{0, 46, "fault: 429"}}},
	} {
		got := spans(waits(tc.attempts, func(time.Time) time.Time { return tc.alive }))
		if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(span{})); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

func TestPausesFollowBreakerAndThrottling(t *testing.T) {
	t.Parallel()
	fail := func(seconds float64) attempt { return attempt{at: at(seconds), pace: unavailable} }
	hang := func(seconds float64) attempt {
		return attempt{at: at(seconds), pace: unavailable, busy: 15 * time.Second}
	}
	for name, tc := range map[string]struct {
		attempts []attempt
		want     []span
	}{
		"four failures":              {[]attempt{fail(0), fail(1), fail(2), fail(3)}, nil},
		"five failures":              {[]attempt{fail(0), fail(1), fail(2), fail(3), fail(4)}, []span{{4, 15, "breaker"}}},
		"a success in between":       {[]attempt{fail(0), fail(1), fail(2), {at: at(2.5)}, fail(3), fail(4)}, nil},
		"the probe fails, too":       {[]attempt{fail(0), fail(1), fail(2), fail(3), fail(4), fail(14)}, []span{{4, 15, "breaker"}, {14, 14, "breaker"}, {14, 35, "breaker"}}},
		"late failures do not count": {[]attempt{fail(0), fail(1), fail(2), fail(3), fail(4), fail(4.5)}, []span{{4, 15, "breaker"}}},
		"429":                        {[]attempt{{at: at(0), pace: throttled, retryAfter: 90 * time.Second}}, []span{{0, 61, "pause after 429"}}},
		"429 without a time":         {[]attempt{{at: at(0), pace: throttled}}, []span{{0, 31, "pause after 429"}}},
		"one hangs":                  {[]attempt{hang(0)}, nil},
		"two hang side by side":      {[]attempt{hang(0), hang(5)}, []span{{5, 15, "places taken by requests that hang"}}},
	} {
		got := spans(pauses(tc.attempts))
		if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(span{})); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}
