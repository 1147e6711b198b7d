// SPDX-License-Identifier: Apache-2.0

package egress

import "time"

// Limits bound the calls of the whole process. The zero value of a field means its default.
type Limits struct {
	QPS          float64 // calls per second to one host, with a burst of one second's worth. 0: 20
	HostInFlight int     // concurrent calls to one host. 0: 8
	// NamespaceInFlight bounds the concurrent calls of one namespace, to all hosts together, while other namespaces wait. It is
	// at most half of Workers. 0: 16
	NamespaceInFlight int
	Workers           int // concurrent reconciles. 0: 32
}

func (l Limits) withDefaults() Limits {
	if !(l.QPS > 0) { // also if it is NaN
		l.QPS = 20
	}
	if l.HostInFlight <= 0 {
		l.HostInFlight = 8
	}
	if l.NamespaceInFlight <= 0 {
		l.NamespaceInFlight = 16
	}
	if l.Workers <= 0 {
		l.Workers = 32
	}
	l.NamespaceInFlight = max(1, min(l.NamespaceInFlight, l.Workers/2))
	return l
}

// Request is an object's wish to call a host now.
type Request struct {
	Host      string // Endpoint.String()
	Namespace string
	Client    string // name of the client Secret
	Object    string // namespace/name
	// Verify marks a call that tries a token at an API. Such calls have their own queue, pauses and breaker.
	Verify bool
	// Planned marks a renewal that is due while the old token is still valid. Any other call follows a change, which may affect all objects
	// at once.
	Planned bool
	// Requested marks a refresh that a person asked for. Changed says that the client was told to wait, but would now send something else:
	// it counts as another client.
	Requested, Changed bool
	// Expires is when the object's current token expires. Zero: it has none. Due is when its renewal was due.
	Expires, Due time.Time
	// Proven and Failures are what the object's status says about the client, for a gate that does not know the client yet: whether this host
	// served it and has not refused it since, and the number of 429s, 5xx and unanswered calls since then.
	Proven   bool
	Failures int
}

// leadHalfUsed is when half of a planned renewal's lead is used up, on the caller's clock.
func (r Request) leadHalfUsed() (at time.Time, ok bool) {
	if !r.Planned || r.Due.IsZero() {
		return time.Time{}, false
	}
	lead := max(r.Expires.Sub(r.Due), 0) // without a lead, half of it is used at once
	return r.Due.Add(lead / 2), true
}

// ResultKind classifies the end of a call.
type ResultKind int

// The kinds of results. The zero kind is Cancelled, so that an empty Result teaches the gate nothing.
const (
	Cancelled   ResultKind = iota // we gave up, or nothing was sent
	Served                        // a token, or an API that accepts one
	Refused                       // 400, 401, 403: the host is alive and does not accept what was sent
	Answered                      // any other answer that shows that the host is alive
	Unavailable                   // 5xx, timeout, reset, DNS, TLS
	Throttled                     // 429
)

// Result is how a call ended.
type Result struct {
	Kind          ResultKind
	RetryAfter    time.Duration // of Throttled, if HasRetryAfter
	HasRetryAfter bool
}
