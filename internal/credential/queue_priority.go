// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// UrgentWithin is how soon a token must expire for its object to be reconciled before others.
const UrgentWithin = 10 * time.Minute

// QueuePriority returns an object's priority in the queue at a time: higher the sooner the token expires; zero beyond ten minutes.
func QueuePriority(expires *metav1.Time, at time.Time) int {
	if expires == nil {
		return 0
	}
	left := min(max(expires.Sub(at), 0), UrgentWithin)
	return int((UrgentWithin - left) / time.Second)
}
