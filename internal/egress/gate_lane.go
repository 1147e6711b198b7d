// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"cmp"
	"slices"
	"time"
)

const (
	// A host that has not answered yet gets two calls at once, and twice as many after each answer, until the cap: a hundred objects
	// that meet a 429 or a host that hangs learn it from two calls.
	firstInFlight = 2

	// Every fourth call is for clients that are failing, and every tenth for those that are no planned renewals, if they wait. The failing ones
	// never have more than a quarter of the places: a call that hangs keeps its place for long.
	failingEvery   = 4
	unplannedEvery = 10
	failingPart    = 4

	// Failing clients with the fewest failures go first, but every fourth time those with the most.
	patientEvery = 4

	refusalsPer    = time.Minute
	refusalsAtMost = 10

	// behindFor is how long a namespace lets the others go first after one of its calls has hung without an answer.
	behindFor = time.Minute
)

// A lane has the calls of one kind at a host: those for tokens, or verifications.
type lane struct {
	host    *host
	limit   int // calls in flight, at most
	clients map[clientKey]*client
	proven  int // clients that are proven
	queue   [classes]ring
	waiting int // in queue
	paused  []*client
	// short reports whether a waiter here could go if there were a worker.
	short bool

	inFlight, failingInFlight int
	// width is how many calls may be in flight for now, of those that began in the same epoch. An epoch begins when the host throttles, and the
	// calls that were in flight then are not counted any more.
	width, epoch, narrow int
	// sinceFailing and sinceUnplanned count the calls of others since such a waiter last went, sincePatient those of failing clients.
	sinceFailing, sinceUnplanned, sincePatient int
	standings                                  map[string]*standing // by namespace
	refused                                    map[*standing]bool   // those with refusals
	pause                                      pause
	breaker                                    breaker
	// doubted says that the lane was closed, and nobody has been served since. servedAt is when someone last was.
	doubted  bool
	servedAt time.Time
}

// A standing is that of a namespace in a lane.
type standing struct {
	// refusedAt has the attempts that were refused in the last minute, loose is how many calls in flight may be.
	refusedAt []time.Time
	loose     int
	// behindTo is until when it lets the others go first, because one of its calls held a place for long without an answer.
	behindTo time.Time
}

func newLane(h *host, limit int) *lane {
	return &lane{host: h, limit: limit, width: min(firstInFlight, limit), clients: map[clientKey]*client{}, standings: map[string]*standing{}, refused: map[*standing]bool{}}
}

// next returns the waiter that goes next, or nil if none can.
func (l *lane) next(g *Gate, t time.Time) *waiter {
	l.short = false
	if l.waiting == 0 {
		return nil
	}
	l.pause.end(t)
	if l.isFull() {
		return nil
	}
	goes := func(w *waiter) bool { return l.goes(g, t, w) }
	switch {
	case l.breaker.open:
		return l.nextProbe(t, goes)
	case l.pause.on(t):
		return l.nextSample(t, goes)
	}
	for _, c := range l.order() {
		if l.hasNoPlace(c) {
			continue
		}
		if w := l.first(t, c, goes); w != nil {
			return w
		}
	}
	return nil
}

// isFull reports whether calls in flight have all places.
func (l *lane) isFull() bool {
	return l.narrow >= l.width || l.inFlight >= l.limit || l.host.inFlight() >= l.host.limit
}

// hasNoPlace reports whether the places that are left are for other classes than c: failing clients have a share that is theirs alone.
func (l *lane) hasNoPlace(c class) bool {
	if c >= classFailing {
		return l.failingInFlight >= l.failingPlaces()
	}
	return l.placesKept()
}

// goes reports whether only the order keeps w from going.
func (l *lane) goes(g *Gate, t time.Time, w *waiter) bool {
	if !l.host.hasRate(t, w.class == classPlanned) || l.refusedTooOften(t, w) {
		return false
	}
	if g.workerFor(t, w) != "" {
		l.short = true
		return false
	}
	return true
}

// nextProbe is who may call while the breaker is open: the first one at its time, and earlier one whose lead is half used.
func (l *lane) nextProbe(t time.Time, goes func(*waiter) bool) *waiter {
	if w := l.nextWitness(t, goes); w != nil {
		return w
	}
	switch {
	case l.breaker.probe != nil || t.Before(l.breaker.endedAt.Add(breakerHurry)):
		return nil
	case t.Before(l.breaker.probeAt):
		return l.first(t, classPlanned, func(w *waiter) bool { return w.hurries(t) && goes(w) })
	}
	// Of the failing ones those that were served once are more likely to be served again.
	was := func(w *waiter) bool { return (w.class < classFailing || w.client.once) && goes(w) }
	for _, wanted := range []func(*waiter) bool{was, goes} {
		for c := range classes {
			if w := l.first(t, c, wanted); w != nil {
				return w
			}
		}
	}
	return nil
}

// nextWitness is a proven client at a host against which only such clients have spoken that were not well before: as after a restart, when those in
// trouble are the first to ask. It does not wait for them, nor for a probe of theirs that hangs.
func (l *lane) nextWitness(t time.Time, goes func(*waiter) bool) *waiter {
	if probe := l.breaker.probe; l.breaker.witnessed || probe != nil && probe.client.state == proven {
		return nil
	}
	return l.firstProven(t, goes)
}

func (l *lane) firstProven(t time.Time, goes func(*waiter) bool) *waiter {
	for _, c := range []class{classPlanned, classUnplanned} {
		if w := l.first(t, c, func(w *waiter) bool { return w.client.state == proven && goes(w) }); w != nil {
			return w
		}
	}
	return nil
}

func (w *waiter) hurries(t time.Time) bool { return !w.halfway.IsZero() && !t.Before(w.halfway) }

// nextSample is who may call in a pause: one proven client.
func (l *lane) nextSample(t time.Time, goes func(*waiter) bool) *waiter {
	if l.pause.sample != nil || t.Before(l.pause.sampleTime()) {
		return nil
	}
	return l.firstProven(t, goes)
}

// order is that of the classes, those whose turn it is first.
func (l *lane) order() []class {
	failing := []class{classFailing, classFailing + 1, classFailing + 2, classFailing + 3, classFailing + 4, classMost}
	if l.sincePatient >= patientEvery-1 {
		slices.Reverse(failing)
	}
	switch {
	case l.sinceFailing >= failingEvery-1:
		return append(failing, classPlanned, classUnplanned)
	case l.sinceUnplanned >= unplannedEvery-1:
		return append([]class{classUnplanned, classPlanned}, failing...)
	}
	return append([]class{classPlanned, classUnplanned}, failing...)
}

// failingPlaces is how many places failing clients may have.
func (l *lane) failingPlaces() int { return max(1, l.limit/failingPart) }

// placesKept reports whether the places that are left are for failing clients that wait.
func (l *lane) placesKept() bool {
	kept := l.limit/failingPart - l.failingInFlight
	return kept > 0 && l.failingWait() && l.width == l.limit && l.limit-l.inFlight <= kept
}

func (l *lane) failingWait() bool {
	return slices.ContainsFunc(l.queue[classFailing:], func(r ring) bool { return len(r.shares) > 0 })
}

// admit counts a call that is going to be made.
func (l *lane) admit(t time.Time, w *waiter, r *Reservation) {
	h := l.host
	h.rate.AllowN(t, 1)
	if w.class != classPlanned {
		h.unplanned.AllowN(t, 1)
		l.standing(w.namespace.name).loose++
	}
	l.inFlight++
	l.narrow++
	r.epoch = l.epoch
	w.client.inFlight++
	if w.class >= classFailing {
		l.failingInFlight++
	}
	if w.insists {
		w.client.insistedAt = t
	}
	l.queue[w.class].tookTurn(w.namespace)
	l.count(w)
	switch {
	case l.breaker.open:
		l.breaker.probe = r
	case l.pause.on(t):
		l.pause.sample = r
	}
}

// count records which namespace had its turn.
func (l *lane) count(w *waiter) {
	switch {
	case w.class >= classFailing:
		l.sinceFailing = 0
		l.sincePatient = (l.sincePatient + 1) % patientEvery
	case l.failingWait():
		l.sinceFailing++
	}
	switch {
	case w.class == classUnplanned:
		l.sinceUnplanned = 0
	case len(l.queue[classUnplanned].shares) > 0:
		l.sinceUnplanned++
	}
	switch h := l.host; {
	case l == h.verify:
		h.verifyPassed = 0
	case h.verify.waiting > 0:
		h.verifyPassed++
	}
}

// release gives the place back.
func (l *lane) release(r *Reservation) {
	l.inFlight--
	if r.epoch == l.epoch {
		l.narrow--
	}
	r.client.inFlight--
	if r.class >= classFailing {
		l.failingInFlight--
	}
	if r.class != classPlanned {
		l.standing(r.namespace.name).loose--
	}
}

// closedSince reports whether the lane or the client was told to wait after the place was given, which nobody has come for.
func (l *lane) closedSince(t time.Time, r *Reservation) bool {
	switch {
	case r.client.throttledAt.After(r.granted):
		return true
	case l.breaker.open:
		return l.breaker.probe != r
	case l.pause.on(t):
		return l.pause.sample != r
	}
	return false
}

func (l *lane) standing(namespace string) *standing {
	n := l.standings[namespace]
	if n == nil {
		n = &standing{}
		l.standings[namespace] = n
	}
	return n
}

// refusedTooOften reports whether w's namespace has had its refusals for this minute. What is in flight may be another one.
func (l *lane) refusedTooOften(t time.Time, w *waiter) bool {
	n := l.standings[w.namespace.name]
	if n == nil || w.class == classPlanned {
		return false
	}
	n.expire(t)
	return len(n.refusedAt) > 0 && len(n.refusedAt)+n.loose >= refusalsAtMost
}

func (n *standing) expire(t time.Time) {
	for len(n.refusedAt) > 0 && t.Sub(n.refusedAt[0]) >= refusalsPer {
		n.refusedAt = n.refusedAt[1:]
	}
}

// first is the first waiter of a class that is wanted: the namespaces take turns, those whose calls hang after the others.
func (l *lane) first(t time.Time, c class, wanted func(*waiter) bool) *waiter {
	behind := func(w *waiter) bool {
		n := l.standings[w.namespace.name]
		return n != nil && t.Before(n.behindTo)
	}
	if w := l.queue[c].first(func(w *waiter) bool { return !behind(w) && wanted(w) }); w != nil {
		return w
	}
	return l.queue[c].first(func(w *waiter) bool { return behind(w) && wanted(w) })
}

// park holds back the waiters of a client until its pause ends.
func (l *lane) park(c *client) {
	if !slices.Contains(l.paused, c) {
		l.paused = append(l.paused, c)
	}
}

// unpark lets the waiters go on whose client's pause has ended.
func (g *Gate) unpark(t time.Time, l *lane) {
	l.paused = slices.DeleteFunc(l.paused, func(c *client) bool {
		if t.Before(c.pausedTo) && len(c.waiters) > 0 {
			return false
		}
		g.replace(t, c)
		return true
	})
}

// replace puts a client's waiters where they belong now.
func (g *Gate) replace(t time.Time, c *client) {
	var waiters []*waiter
	for w := range c.waiters {
		waiters = append(waiters, w)
	}
	slices.SortFunc(waiters, func(a, b *waiter) int { return cmp.Compare(a.serial, b.serial) })
	for _, w := range waiters {
		g.unplace(w)
		g.place(t, w)
	}
}

// opensAt is when a waiter may go just because time has passed. Past times do not count; zero: never.
func (l *lane) opensAt(t time.Time) time.Time {
	var times []time.Time
	for _, c := range l.paused {
		times = append(times, c.pausedTo)
	}
	if l.waiting == 0 {
		return sooner(t, times...)
	}
	switch {
	case l.breaker.open:
		times = append(times, l.breaker.probeAt, l.breaker.endedAt.Add(breakerHurry))
		for _, s := range l.queue[classPlanned].shares {
			times = append(times, s.waiters[0].halfway)
		}
	case l.pause.on(t):
		times = append(times, l.pause.to, l.pause.sampleTime())
	}
	planned := len(l.queue[classPlanned].shares) > 0
	times = append(times, l.host.rateAt(t, false))
	if planned {
		times = append(times, l.host.rateAt(t, true))
	}
	for n := range l.refused {
		if n.expire(t); len(n.refusedAt) == 0 {
			delete(l.refused, n)
			continue
		}
		times = append(times, n.refusedAt[0].Add(refusalsPer))
	}
	return sooner(t, times...)
}

// sweep forgets what does not matter any more.
func (l *lane) sweep(t time.Time) {
	for key, c := range l.clients {
		if idle := len(c.waiters) == 0 && c.inFlight == 0 && !t.Before(c.pausedTo); idle && t.Sub(c.usedAt) > rememberFor {
			if c.state == proven {
				l.proven--
			}
			delete(l.clients, key)
		}
	}
	for namespace, n := range l.standings {
		if n.expire(t); len(n.refusedAt) == 0 && n.loose == 0 && !t.Before(n.behindTo) {
			delete(l.standings, namespace)
		}
	}
}
