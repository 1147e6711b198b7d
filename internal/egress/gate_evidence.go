// SPDX-License-Identifier: Apache-2.0

package egress

import "time"

const (
	// evidenceFor is how long evidence is remembered: 429s further apart are no reason to leave a host alone, and tokens
	// count against evidence only that is this fresh.
	evidenceFor = time.Minute
	// A token weighs as much as two failing clients, and a host is credited with no more than this many.
	tokenWeight = 2
	mostCredit  = 10
)

// Evidence is what speaks against a host as a whole. It is a running sum: one more for each other failing client, less for each token, so
// that a host where half of the clients fail is not taken for one that serves nobody. At a host that was fine a minute ago the sum
// is zero, so the first failing clients weigh in full.
type evidence struct {
	sum int
	at  time.Time // of the latest
	// clients are those that spoke since the last token: each is heard once.
	clients map[*client]bool
}

// against adds a client's failure.
func (e *evidence) against(t time.Time, c *client, again bool) {
	if t.Sub(e.at) > evidenceFor {
		e.sum = max(e.sum, 0)
	}
	e.at = t
	if e.clients[c] && !again {
		return
	}
	if e.clients == nil {
		e.clients = map[*client]bool{}
	}
	e.clients[c] = true
	e.sum++
}

// token records that someone was served.
func (e *evidence) token(t time.Time) {
	e.clients = nil
	if e.at.IsZero() || t.Sub(e.at) > evidenceFor {
		e.sum = 0
		return
	}
	e.sum = min(max(e.sum-tokenWeight, -mostCredit), 0)
}

// refute records that the host served someone while it was thought to throttle everyone: those who are told to wait are told so for
// themselves.
func (e *evidence) refute(t time.Time) { e.sum, e.at = -mostCredit, t }

// expire forgets what is older than a minute.
func (e *evidence) expire(t time.Time) {
	if t.Sub(e.at) > evidenceFor {
		e.sum, e.clients = 0, nil
	}
}
