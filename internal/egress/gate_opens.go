// SPDX-License-Identifier: Apache-2.0

package egress

import "time"

// opensAt is when a waiter may go only because time has passed. Zero: never, or not in the future.
func (l *lane) opensAt(t time.Time) time.Time {
	var times []time.Time
	for _, c := range l.parked {
		times = append(times, c.pausedTo)
	}
	if l.waiting == 0 {
		return earliestAfter(t, times...)
	}
	planned := &l.queue[classPlanned]
	switch {
	case l.breaker.open:
		times = append(times, l.breaker.probeAt, l.breaker.urgentProbeAt())
		for _, n := range planned.namespaces {
			times = append(times, n.waiters[0].leadHalfUsed)
		}
	case l.pause.on(t):
		times = append(times, l.pause.to, l.pause.sampleTime())
	}
	times = append(times, l.host.rateAt(t, false))
	if !planned.empty() {
		times = append(times, l.host.rateAt(t, true))
	}
	for r := range l.refused {
		if r.expire(t); len(r.refusedAt) == 0 {
			delete(l.refused, r)
			continue
		}
		times = append(times, r.refusedAt[0].Add(refusalWindow))
	}
	return earliestAfter(t, times...)
}
