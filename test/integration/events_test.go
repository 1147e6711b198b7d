// SPDX-License-Identifier: Apache-2.0

package integration

import (
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// eventsOf returns the events about a CDPCredential with a reason; an empty reason means all.
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

// times returns how often an event was emitted: equal ones are combined into a series.
func (s *stage) times(event eventsv1.Event) int {
	if event.Series == nil {
		return 1
	}
	return int(event.Series.Count)
}

// countEvents returns how often an event with a reason was emitted.
func (s *stage) countEvents(name, reason string) int {
	s.Helper()
	count := 0
	for _, event := range s.eventsOf(name, reason) {
		count += s.times(event)
	}
	return count
}
