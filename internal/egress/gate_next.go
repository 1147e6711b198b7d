// SPDX-License-Identifier: Apache-2.0

package egress

import "time"

// next returns the waiter of the lane that goes next, or nil if none can.
func (g *Gate) next(t time.Time, l *lane) *waiter {
	l.blocked = false
	if l.waiting == 0 {
		return nil
	}
	l.pause.expire(t)
	if l.full() {
		return nil
	}
	mayGo := func(w *waiter) bool { return g.mayGo(t, w) }
	switch {
	case l.breaker.open:
		return l.nextProbe(t, mayGo)
	case l.pause.on(t):
		return l.nextSample(t, mayGo)
	}
	for _, c := range l.order() {
		if !l.hasPlace(c) {
			continue
		}
		if w := l.first(t, c, mayGo); w != nil {
			return w
		}
	}
	return nil
}

// mayGo reports whether nothing but its rank keeps w from going.
func (g *Gate) mayGo(t time.Time, w *waiter) bool {
	l := w.lane
	if !l.host.hasRate(t, w.class == classPlanned) || l.refusedTooOften(t, w) {
		return false
	}
	if g.lacksWorker(t, w) != "" {
		l.blocked = true
		return false
	}
	return true
}

// nextProbe returns who may call while the breaker is open: the first waiter once a probe is due, and earlier a renewal that has used half of
// its lead.
func (l *lane) nextProbe(t time.Time, mayGo func(*waiter) bool) *waiter {
	if w := l.nextProvenProbe(t, mayGo); w != nil {
		return w
	}
	switch {
	case l.breaker.probe != nil || t.Before(l.breaker.urgentProbeAt()):
		return nil
	case t.Before(l.breaker.probeAt):
		return l.first(t, classPlanned, func(w *waiter) bool { return w.urgent(t) && mayGo(w) })
	}
	for c := range classes {
		if w := l.first(t, c, mayGo); w != nil {
			return w
		}
	}
	return nil
}

// nextProvenProbe returns a proven client if only clients have failed that were not served before. After a restart, for example, the clients
// in trouble are the first to ask: a proven client waits neither for them nor for a probe of theirs that hangs.
func (l *lane) nextProvenProbe(t time.Time, mayGo func(*waiter) bool) *waiter {
	probe := l.breaker.probe
	provenProbes := probe != nil && probe.client.state == proven
	if l.breaker.provenFailed || provenProbes {
		return nil
	}
	return l.firstProven(t, mayGo)
}

// nextSample returns who may call during a pause: one proven client at a time.
func (l *lane) nextSample(t time.Time, mayGo func(*waiter) bool) *waiter {
	if l.pause.sample != nil || t.Before(l.pause.sampleTime()) {
		return nil
	}
	return l.firstProven(t, mayGo)
}

func (l *lane) firstProven(t time.Time, mayGo func(*waiter) bool) *waiter {
	for _, c := range []class{classPlanned, classUnplanned} {
		if w := l.first(t, c, func(w *waiter) bool { return w.client.state == proven && mayGo(w) }); w != nil {
			return w
		}
	}
	return nil
}

// first returns the first waiter of a class that is accepted. Namespaces take turns, those whose calls hung lately after the others.
func (l *lane) first(t time.Time, c class, accepted func(*waiter) bool) *waiter {
	if w := l.queue[c].first(func(w *waiter) bool { return !l.goesLast(t, w) && accepted(w) }); w != nil {
		return w
	}
	return l.queue[c].first(func(w *waiter) bool { return l.goesLast(t, w) && accepted(w) })
}

// urgent reports whether a renewal has used half of its lead.
func (w *waiter) urgent(t time.Time) bool {
	return !w.leadHalfUsed.IsZero() && !t.Before(w.leadHalfUsed)
}
