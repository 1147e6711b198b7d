// SPDX-License-Identifier: Apache-2.0

package egress

import "time"

// The reasons of a Delay, as the metric endpoint_blocked_total has them.
const (
	// The operator's own limits.
	ReasonRate              = "rate"
	ReasonHostInFlight      = "host-in-flight"
	ReasonNamespaceInFlight = "namespace-in-flight"
	ReasonWorkers           = "workers"
	ReasonRefusals          = "refusals" // 400, 401 and 403 of the last minute
	// The host throttles: this client, or several.
	ReasonClientPaused = "client-paused"
	ReasonPaused       = "paused"
	// The host has failed several times in a row.
	ReasonBreaker = "breaker"
)

// Delay says that an object may not go yet. It is woken when its turn has come, and should not hold a worker until then.
type Delay struct {
	Reason string
	Since  time.Time // when it began to wait
	// For is when it should ask again even if it was not woken, in case that was lost.
	For time.Duration
}

const (
	askAgainMost  = 5 * time.Minute
	askAgainLeast = 10 * time.Second
	// unwoken is how often objects ask that are not woken.
	unwoken = time.Second
)

func (g *Gate) delay(t, now time.Time, w *waiter) *Delay {
	d := &Delay{Reason: w.lane.reason(g, t, w), Since: now.Add(w.since.Sub(t)), For: askAgainMost}
	if left := w.expires.Sub(now); !w.expires.IsZero() && left > 0 {
		d.For = min(d.For, max(left/4, askAgainLeast))
	}
	if g.after == nil {
		d.For = unwoken
	}
	return d
}

// reason is what is in w's way.
func (l *lane) reason(g *Gate, t time.Time, w *waiter) string {
	switch {
	case w.class == classParked:
		return ReasonClientPaused
	case l.breaker.open:
		return ReasonBreaker
	case l.pause.on(t):
		return ReasonPaused
	case l.refusedTooOften(t, w):
		return ReasonRefusals
	case !l.host.hasRate(t, w.class == classPlanned):
		return ReasonRate
	}
	if reason := g.workerFor(t, w); reason != "" {
		return reason
	}
	return ReasonHostInFlight
}
