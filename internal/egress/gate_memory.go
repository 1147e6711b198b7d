// SPDX-License-Identifier: Apache-2.0

package egress

import "time"

const (
	sweepEvery = time.Minute
	// rememberFor is how long an unused client or host is remembered.
	rememberFor = 2 * time.Hour
)

// host finds or adds a host.
func (g *Gate) host(t time.Time, name string) *host {
	h, ok := g.hosts[name]
	if !ok {
		h = &host{maxInFlight: g.limits.HostInFlight, qps: g.limits.QPS}
		h.rate, h.unplannedRate = rateLimiters(h.qps)
		h.tokens, h.verify = newLane(h, h.maxInFlight), newLane(h, max(1, h.maxInFlight/4))
		g.hosts[name] = h
	}
	h.usedAt = t
	return h
}

func (h *host) lane(verify bool) *lane {
	if verify {
		return h.verify
	}
	return h.tokens
}

func newLane(h *host, maxInFlight int) *lane {
	return &lane{
		host: h, maxInFlight: maxInFlight, concurrencyLimit: min(initialConcurrency, maxInFlight),
		clients: map[clientKey]*client{}, records: map[string]*namespaceRecord{}, refused: map[*namespaceRecord]bool{},
	}
}

// client finds or adds a client, in the state that the object's status gives it.
func (l *lane) client(t time.Time, r Request) *client {
	key := clientKey{r.Namespace, r.Client}
	c := l.clients[key]
	if c == nil {
		c = &client{key: key, waiters: map[*waiter]bool{}, servedBefore: r.Proven}
		switch {
		case r.Failures > 0:
			c.state = failing
		case r.Proven:
			c.state = proven
			l.proven++
		}
		l.clients[key] = c
	}
	c.usedAt = t
	return c
}

// namespace finds or adds a namespace.
func (g *Gate) namespace(name string) *namespace {
	n, ok := g.namespaces[name]
	if !ok {
		n = &namespace{name: name}
		g.namespaces[name] = n
	}
	return n
}

// sweep forgets what is unused, now and then.
func (g *Gate) sweep(t time.Time) {
	if t.Sub(g.sweptAt) < sweepEvery {
		return
	}
	g.sweptAt = t
	for name, h := range g.hosts {
		h.tokens.sweep(t)
		h.verify.sweep(t)
		if t.Sub(h.usedAt) > rememberFor && len(h.tokens.clients) == 0 && len(h.verify.clients) == 0 {
			delete(g.hosts, name)
		}
	}
	for name, n := range g.namespaces {
		if n.inFlight == 0 && n.waiters == 0 {
			delete(g.namespaces, name)
		}
	}
}

func (l *lane) sweep(t time.Time) {
	for key, c := range l.clients {
		if c.idle(t) && t.Sub(c.usedAt) > rememberFor {
			if c.state == proven {
				l.proven--
			}
			delete(l.clients, key)
		}
	}
	for namespace, r := range l.records {
		if r.expire(t); r.forgettable(t) {
			delete(l.records, namespace)
		}
	}
}

// idle reports whether the client neither calls, nor waits, nor is paused.
func (c *client) idle(t time.Time) bool {
	return len(c.waiters) == 0 && c.inFlight == 0 && !t.Before(c.pausedTo)
}
