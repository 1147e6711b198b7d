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
