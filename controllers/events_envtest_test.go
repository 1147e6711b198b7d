package controllers_test

import (
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// eventsOf lists the events about a CDPCredential that have a reason; an empty one means all.
func (s *stage) eventsOf(name, reason string) []eventsv1.Event {
	s.Helper()
	list := &eventsv1.EventList{}
	s.must(s.client.List(s.Context(), list, client.InNamespace(s.namespace)))
	var found []eventsv1.Event
	for _, event := range list.Items {
		if event.Regarding.Name == name && (reason == "" || event.Reason == reason) {
			found = append(found, event)
		}
	}
	return found
}

// countEvents is how often an event was given, those included that were taken together as a series.
func (s *stage) countEvents(name, reason string) int {
	s.Helper()
	count := 0
	for _, event := range s.eventsOf(name, reason) {
		count++
		if event.Series != nil {
			count += int(event.Series.Count) - 1
		}
	}
	return count
}
