// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter is the longest wait that is believed. Auth0's quotas may mean most of a day.
const maxRetryAfter = 24 * time.Hour

// present is the time on the endpoint's clock, by which its dates are to be read.
func (a answer) present() time.Time {
	if date := a.date(); !date.IsZero() {
		return date
	}
	return a.received
}

// retryAfter reads Retry-After (RFC 9110 section 10.2.3): seconds, or a date. False: there is none, it is in the past, or it is
// neither of the two.
func retryAfter(value string, present time.Time) (time.Duration, bool) {
	if wait, ok := wholeSeconds(value); ok {
		return wait, true
	}
	date, err := http.ParseTime(value)
	if err != nil || date.Before(present) {
		return 0, false
	}
	return min(date.Sub(present), maxRetryAfter), true
}

// quotaReset says when Auth0 has tokens again, by the headers that it sends when a quota is spent. Auth0 documents a Retry-After
// beside them; a proxy may have dropped it. False: they do not say.
func quotaReset(header http.Header, present time.Time) (time.Duration, bool) {
	var wait time.Duration
	var ok bool
	for _, name := range []string{"Auth0-Client-Quota-Limit", "Auth0-Organization-Quota-Limit"} {
		for bucket := range strings.SplitSeq(strings.Join(header.Values(name), ","), ",") {
			if reset, spent := spentBucket(bucket); spent {
				wait, ok = max(wait, reset), true
			}
		}
	}
	if ok {
		return wait, true
	}
	// Other vendors put a number of seconds into this header. A billion is a date in any case.
	reset, err := strconv.ParseInt(header.Get("X-RateLimit-Reset"), 10, 64)
	if err != nil || reset < 1e9 || reset < present.Unix() {
		return 0, false
	}
	if reset > present.Add(maxRetryAfter).Unix() {
		return maxRetryAfter, true
	}
	return max(time.Unix(reset, 0).Sub(present), 0), true
}

// spentBucket reads one bucket, as in b=per_hour;q=10;r=0;t=3540: bucket, quota, remaining, seconds to the reset. False: something
// remains in it.
func spentBucket(bucket string) (reset time.Duration, spent bool) {
	for part := range strings.SplitSeq(bucket, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "r":
			spent = value == "0"
		case "t":
			reset, _ = wholeSeconds(value)
		}
	}
	return reset, spent && reset > 0
}

// wholeSeconds reads a number of seconds without a sign. However large, it is at most maxRetryAfter.
func wholeSeconds(text string) (time.Duration, bool) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n > int64(maxRetryAfter/time.Second) {
		return maxRetryAfter, true
	}
	return time.Duration(n) * time.Second, true
}
