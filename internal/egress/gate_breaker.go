// SPDX-License-Identifier: Apache-2.0

package egress

import "time"

const (
	breakerEvidence = 5
	// The time between probes doubles from minProbeWait to maxProbeWait.
	minProbeWait = 10 * time.Second
	maxProbeWait = time.Minute
	// urgentProbeWait is the time after a probe at which a renewal that has used half of its lead may be the next one.
	urgentProbeWait = 5 * time.Second
)

// trip opens the breaker.
func (b *breaker) trip(t time.Time) {
	b.open, b.wait, b.endedAt = true, minProbeWait, t
	b.probeAt = t.Add(b.wait)
}

// backOff schedules the next probe after one that failed.
func (b *breaker) backOff(t time.Time) {
	b.wait = min(2*b.wait, maxProbeWait)
	b.probeAt = t.Add(b.wait)
}

// close closes the breaker, as after any answer: the host is alive.
func (b *breaker) close(t time.Time) {
	*b = breaker{evidence: b.evidence}
	b.token(t)
}

// urgentProbeAt is when a renewal that has used half of its lead may be the next probe.
func (b *breaker) urgentProbeAt() time.Time { return b.endedAt.Add(urgentProbeWait) }
