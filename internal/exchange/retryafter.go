// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter bounds the wait. Auth0's daily quotas may mean most of a day.
const maxRetryAfter = 24 * time.Hour

// present is the endpoint's time, to which its dates refer. Our own if the answer has no Date.
func (a answer) present() time.Time {
	if date := a.date(); !date.IsZero() {
		return date
	}
	return a.received
}

// retryAfter reads Retry-After (RFC 9110 section 10.2.3): seconds, or a date. False: it is missing, invalid or in the past.
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

// quotaReset reads when Auth0 issues tokens again from the headers that it sends when a quota is used up. Auth0 documents a Retry-After in addition,
// but a proxy may have dropped it. False: unknown.
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
	// Other vendors send a number of seconds in this header. From a billion it is certainly a Unix time.
	reset, err := strconv.ParseInt(header.Get("X-RateLimit-Reset"), 10, 64)
	if err != nil || reset < 1e9 || reset < present.Unix() {
		return 0, false
	}
	if reset > present.Add(maxRetryAfter).Unix() {
		return maxRetryAfter, true
	}
	return max(time.Unix(reset, 0).Sub(present), 0), true
}

// spentBucket reads one bucket, such as b=per_hour;q=10;r=0;t=3540: bucket, quota, remaining, seconds until the reset. False: it is not used up.
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

// wholeSeconds reads an unsigned number of seconds, capped at maxRetryAfter.
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
