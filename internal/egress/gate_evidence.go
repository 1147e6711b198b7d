// SPDX-License-Identifier: Apache-2.0

package egress

import "time"

const (
	// evidenceTTL is how long evidence counts: 429s further apart are no reason to leave a host alone, and tokens count only against
	// evidence that is this fresh.
	evidenceTTL = time.Minute
	// A token outweighs two failing clients, and a host is credited with at most maxCredit.
	tokenWeight = 2
	maxCredit   = 10
)

// evidence is what speaks against a host as a whole: a running sum, one up for each further client that fails and down for each token, so
// that a host where half of the clients fail is not mistaken for one that serves nobody. A host without recent failures has a sum of zero, so
// its first failures count in full.
type evidence struct {
	sum int
	at  time.Time // of the latest failure
	// clients have failed since the last token. Each counts once.
	clients map[clientKey]bool
}

type clientKey struct{ namespace, secret string }

// against adds a client's failure; repeated ones count only if again is set.
func (e *evidence) against(t time.Time, client clientKey, again bool) {
	if t.Sub(e.at) > evidenceTTL {
		e.sum = max(e.sum, 0)
	}
	e.at = t
	if e.clients[client] && !again {
		return
	}
	if e.clients == nil {
		e.clients = map[clientKey]bool{}
	}
	e.clients[client] = true
	e.sum++
}

// token records that a client was served.
func (e *evidence) token(t time.Time) {
	e.clients = nil
	if e.at.IsZero() || t.Sub(e.at) > evidenceTTL {
		e.sum = 0
		return
	}
	e.sum = min(max(e.sum-tokenWeight, -maxCredit), 0)
}

// refute records that the host served a client while it was thought to throttle everyone: a 429 then is about its client alone.
func (e *evidence) refute(t time.Time) { e.sum, e.at = -maxCredit, t }

// expire drops evidence that is too old.
func (e *evidence) expire(t time.Time) {
	if t.Sub(e.at) > evidenceTTL {
		e.sum, e.clients = 0, nil
	}
}
