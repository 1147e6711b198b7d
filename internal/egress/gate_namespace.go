package egress

// namespaceGate keeps one namespace's objects from taking all workers, wherever they call.
type namespaceGate struct {
	limit    int
	inFlight int
	// strangers are those of the calls in flight that go to endpoints that have not answered lately.
	strangers int
	queue     *queue
	pace      pace
}

// refusal returns nil when w may go now. The wait is not bounded yet.
func (n *namespaceGate) refusal(w *waiter) *Wait {
	room := n.limit - n.inFlight
	if n.queue.admits(w, room) {
		return nil
	}
	place := max(n.queue.place(w), room) // the room that there is belongs to others
	return &Wait{Reason: ReasonNamespaceInFlight, For: n.pace.wait(place, n.limit)}
}
