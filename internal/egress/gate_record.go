// SPDX-License-Identifier: Apache-2.0

package egress

import "time"

const (
	// A namespace may have maxRefusals refusals per refusalWindow at a host: more look like an attack to the host's operator.
	refusalWindow = time.Minute
	maxRefusals   = 10

	// lastAfterHang is how long a namespace goes after all others once one of its calls has hung without an answer.
	lastAfterHang = time.Minute
)

func (l *lane) record(namespace string) *namespaceRecord {
	r := l.records[namespace]
	if r == nil {
		r = &namespaceRecord{}
		l.records[namespace] = r
	}
	return r
}

func (l *lane) recordRefusal(t time.Time, namespace string) {
	r := l.record(namespace)
	r.refusedAt = append(r.refusedAt, t)
	l.refused[r] = true
}

// refusedTooOften reports whether w's namespace has had its refusals of this minute. Calls in flight count: they may be refused, too.
func (l *lane) refusedTooOften(t time.Time, w *waiter) bool {
	r := l.records[w.namespace.name]
	if r == nil || w.class == classPlanned {
		return false
	}
	r.expire(t)
	return len(r.refusedAt) > 0 && len(r.refusedAt)+r.unplanned >= maxRefusals
}

// goesLast reports whether a call of w's namespace hung lately.
func (l *lane) goesLast(t time.Time, w *waiter) bool {
	r := l.records[w.namespace.name]
	return r != nil && t.Before(r.lastUntil)
}

func (r *namespaceRecord) expire(t time.Time) {
	for len(r.refusedAt) > 0 && t.Sub(r.refusedAt[0]) >= refusalWindow {
		r.refusedAt = r.refusedAt[1:]
	}
}

// forgettable reports whether the record, once expired, says nothing.
func (r *namespaceRecord) forgettable(t time.Time) bool {
	return len(r.refusedAt) == 0 && r.unplanned == 0 && !t.Before(r.lastUntil)
}
