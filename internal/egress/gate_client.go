// SPDX-License-Identifier: Apache-2.0

package egress

import "time"

// bypassEvery is how often a client's pause lets a request of a person through.
const bypassEvery = 10 * time.Minute

// mayBypass reports whether a request of a person need not wait for the end of the client's pause.
func (c *client) mayBypass(t time.Time) bool {
	last := c.throttledAt
	if c.bypassedAt.After(last) {
		last = c.bypassedAt
	}
	return t.Sub(last) >= bypassEvery
}

// blamesHost reports whether a failure of the client speaks against the host, and not against the client alone: the client was served until
// now, or the host has no proven client that could tell.
func (l *lane) blamesHost(c *client) bool {
	return c.state == proven || l.proven == 0 || l.recovering
}

// setState changes a client's state and re-queues its waiters.
func (g *Gate) setState(t time.Time, l *lane, c *client, state clientState) {
	if c.state == proven {
		l.proven--
	}
	if state == proven {
		l.proven++
	}
	c.state = state
	c.servedBefore = state == proven || state == failing && c.servedBefore
	g.requeue(t, c)
}

// pauseClient holds back all that the client wants, for as long as it was told to wait.
func (g *Gate) pauseClient(t time.Time, c *client, d time.Duration) {
	c.throttledAt = t
	if end := t.Add(d); end.After(c.pausedTo) {
		c.pausedTo = end
	}
	g.requeue(t, c)
}
