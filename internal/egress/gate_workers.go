// SPDX-License-Identifier: Apache-2.0

package egress

import "time"

// fastAnswer is how quick an answer must have been, in the last fastTTL, for a namespace that waits alone to exceed its limit.
const (
	fastAnswer = time.Second
	fastTTL    = time.Minute
)

func (h *host) fast(t time.Time) bool {
	return !h.fastAt.IsZero() && t.Sub(h.fastAt) <= fastTTL
}

// full reports whether no call may begin. A few workers are kept for reconciles that make no call.
func (g *Gate) full() bool {
	return g.limits.Workers-g.inFlight <= g.limits.Workers/8
}

// lacksWorker returns the reason why w gets no worker, or empty if it gets one.
func (g *Gate) lacksWorker(t time.Time, w *waiter) string {
	workers, n := g.limits.Workers, w.namespace
	scarce := workers-g.inFlight <= workers/4
	mayExceed := g.waitingNamespaces == 1 && w.lane.host.fast(t)
	switch {
	case g.full():
		return ReasonWorkers
	case scarce && n.inFlight >= 2:
		return ReasonWorkers
	case n.inFlight >= g.limits.NamespaceInFlight && !mayExceed:
		return ReasonNamespaceInFlight
	}
	return ""
}
