// SPDX-License-Identifier: Apache-2.0

package integration

import (
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// eventsOf lists the events about a CDPCredential that have a reason; an empty one means all.
func (s *stage) eventsOf(name, reason string) []eventsv1.Event {
	s.Helper()
	list := &eventsv1.EventList{}
	s.must(s.Client.List(s.Context(), list, client.InNamespace(s.namespace)))
	var found []eventsv1.Event
	for _, event := range list.Items {
		if event.Regarding.Name == name && (reason == "" || event.Reason == reason) {
			found = append(found, event)
		}
	}
	return found
}

// times is how often an event was given: the same ones are taken together as a series.
func (s *stage) times(event eventsv1.Event) int {
	if event.Series == nil {
		return 1
	}
	return int(event.Series.Count)
}

// countEvents is how often an event with a reason was given.
func (s *stage) countEvents(name, reason string) int {
	s.Helper()
	count := 0
	for _, event := range s.eventsOf(name, reason) {
		count += s.times(event)
	}
	return count
}
