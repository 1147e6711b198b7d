// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Moved is t moved; zero stays zero.
func Moved(t time.Time, by time.Duration) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(by)
}

// Doubled is first, doubled once for each of the failures in a row before this one, and at most most.
func Doubled(first, most time.Duration, failures int32) time.Duration {
	for range failures {
		if first >= most {
			break
		}
		first *= 2
	}
	return min(first, most)
}

// roundedUp is a time that is to be waited for, in whole seconds.
func roundedUp(t time.Time) *metav1.Time {
	whole := metav1.NewTime(t.Add(time.Second - 1).Truncate(time.Second))
	return &whole
}

// wholeSecond is what the API keeps of a time: whole seconds. Zero gives nil.
func wholeSecond(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	whole := metav1.NewTime(t.Truncate(time.Second))
	return &whole
}

// Sooner is the first of the times that are not zero.
func Sooner(times ...time.Time) time.Time {
	var first time.Time
	for _, t := range times {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}
