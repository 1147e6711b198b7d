// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Moved shifts t by an offset. The zero time stays zero.
func Moved(t time.Time, by time.Duration) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(by)
}

// Doubled returns first, doubled once per earlier consecutive failure, but never more than limit.
func Doubled(first, limit time.Duration, failures int32) time.Duration {
	for range failures {
		if first >= limit {
			break
		}
		first *= 2
	}
	return min(first, limit)
}

// roundedUp rounds up to a whole second: what is waited for must not be tried too early.
func roundedUp(t time.Time) *metav1.Time {
	return new(metav1.NewTime(t.Add(time.Second - 1).Truncate(time.Second)))
}

// wholeSecond rounds down to a whole second, which is all that the API stores. It returns nil for the zero time.
func wholeSecond(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	return new(metav1.NewTime(t.Truncate(time.Second)))
}

// Earliest returns the earliest of the times that are set, or zero if none is.
func Earliest(times ...time.Time) time.Time {
	var first time.Time
	for _, t := range times {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}
