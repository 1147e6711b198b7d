// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"slices"

	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// An Event is one of the object's.
type Event struct {
	Last    metav1.Time `json:"last"`
	Count   int32       `json:"count"`
	Type    string      `json:"type"`
	Reason  string      `json:"reason"`
	Message string      `json:"message"`
}

// recentEvents are those of this very object, not of an earlier one of the same name, newest first.
func recentEvents(obj *v1alpha1.CDPCredential, events []eventsv1.Event) []Event {
	var found []Event
	for i := range events {
		e := &events[i]
		if e.Regarding.UID != "" && e.Regarding.UID != obj.UID {
			continue
		}
		found = append(found, Event{Last: lastTime(e), Count: countOf(e), Type: e.Type, Reason: e.Reason, Message: plain(e.Note)})
	}
	slices.SortStableFunc(found, func(a, b Event) int { return b.Last.Compare(a.Last.Time) })
	return found
}

func lastTime(e *eventsv1.Event) metav1.Time {
	switch {
	case e.Series != nil:
		return metav1.NewTime(e.Series.LastObservedTime.Time)
	case !e.DeprecatedLastTimestamp.IsZero():
		return e.DeprecatedLastTimestamp
	case !e.EventTime.IsZero():
		return metav1.NewTime(e.EventTime.Time)
	}
	return e.CreationTimestamp
}

func countOf(e *eventsv1.Event) int32 {
	if e.Series != nil {
		return e.Series.Count
	}
	return max(e.DeprecatedCount, 1)
}
