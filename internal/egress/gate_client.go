// SPDX-License-Identifier: Apache-2.0

package egress

import "time"

// clientState is what a client has shown of itself at one host.
type clientState int

const (
	unproven clientState = iota // nothing yet, or a refusal
	proven                      // its last answer was a token
	failing                     // since a 429, a 5xx or no answer, until its next token
)

// A client is one client Secret at one host.
type client struct {
	key      clientKey
	state    clientState
	failures int // in a row
	// pausedTo is until when it was told to wait, throttledAt when that was, insistedAt when a request last did not wait.
	pausedTo, throttledAt, insistedAt time.Time
	once                              bool // it was served once, and not refused since
	// fellAt is when it was proven last and got into trouble. Zero: never.
	fellAt   time.Time
	waiters  map[*waiter]bool
	inFlight int
	usedAt   time.Time
}

type clientKey struct{ namespace, secret string }

// insistEvery is how often a client's pause lets a request of a person through.
const insistEvery = 10 * time.Minute

func (c *client) letsThrough(t time.Time) bool {
	last := c.throttledAt
	if c.insistedAt.After(last) {
		last = c.insistedAt
	}
	return t.Sub(last) >= insistEvery
}

// client finds a client. One that is not known yet is what status says.
func (l *lane) client(t time.Time, r Request) *client {
	key := clientKey{r.Namespace, r.Client}
	c := l.clients[key]
	if c == nil {
		c = &client{key: key, waiters: map[*waiter]bool{}, once: r.Proven}
		switch {
		case r.Failures > 0:
			c.state, c.failures = failing, r.Failures
		case r.Proven:
			c.state = proven
			l.proven++
		}
		l.clients[key] = c
	}
	c.usedAt = t
	return c
}

// become changes a client's state, and with it the rank of its waiters.
func (g *Gate) become(t time.Time, l *lane, c *client, state clientState, failures int) {
	if c.state == proven {
		l.proven--
		if state == failing {
			c.fellAt = t
		}
	}
	if state == proven {
		l.proven++
	}
	c.state, c.failures = state, failures
	c.once = state == proven || state == failing && c.once
	g.replace(t, c)
}

// pauseClient holds back all that a client wants, for as long as it was told to wait.
func (g *Gate) pauseClient(t time.Time, c *client, d time.Duration) {
	c.throttledAt = t
	if end := t.Add(d); end.After(c.pausedTo) {
		c.pausedTo = end
	}
	g.replace(t, c)
}
