// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"slices"
	"sync"
	"time"
)

// Limits bound the calls of the whole process. The zero value means the defaults.
type Limits struct {
	QPS          float64 // calls a second to one host; a second's worth may go at once. 0: 20
	HostInFlight int     // calls in flight to one host. 0: 8
	// NamespaceInFlight bounds the calls in flight of one namespace's objects, all hosts together, while someone else waits. It is
	// never more than half of the workers. 0: 16
	NamespaceInFlight int
	Workers           int // how many objects are worked on at the same time. 0: 32
}

func (l Limits) withDefaults() Limits {
	if !(l.QPS > 0) { // not a number, too
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
	// Verify says that a token is to be tried at an API. Such calls have a queue, pauses and a breaker of their own.
	Verify bool
	// Planned reports whether a token that is still valid is renewed because it is due. Everything else comes because something has
	// changed, maybe for all objects at once.
	Planned bool
	// Requested says that a person asked for it, Changed that the client was told to wait and something else would be sent now: it is as good as
	// another client.
	Requested, Changed bool
	// Expires is when the token that the object holds dies; zero: it holds none. Due is when its renewal was due.
	Expires, Due time.Time
	// Proven and Failures are what status says of the client, for a gate that does not know it yet: whether it was served at this host
	// and not refused since, and how many 429s, 5xx or missing answers there were since.
	Proven   bool
	Failures int
}

// ResultKind is what came of a call.
type ResultKind int

// The zero kind is Cancelled, so that an empty Result changes nothing.
const (
	Cancelled   ResultKind = iota // given up by ourselves, or never sent
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

// Gate decides which object may call which host when. It never blocks and knows no clock: times are parameters. Who may not go yet is kept
// here, in order, and woken when it is its turn. The Gate is safe for concurrent use.
type Gate struct {
	limits Limits

	mu         sync.Mutex
	clock      steadyClock
	wake       func(object string)
	after      func(time.Duration, func(now time.Time))
	hosts      map[string]*host
	namespaces map[string]*namespace
	waiters    map[waiterKey]*waiter
	// unclaimed are places that were given to waiters that have not come for them yet, in the order in which they were given.
	unclaimed []*waiter
	// short are the lanes where an object could go if there were a worker for it, or if its namespace had fewer calls in flight.
	short    []*lane
	inFlight int
	// crowd is how many namespaces have someone waiting.
	crowd   int
	serial  uint64
	woken   []*waiter
	sweptAt time.Time
}

// NewGate returns a gate that knows no host yet.
func NewGate(limits Limits) *Gate {
	return &Gate{
		limits:     limits.withDefaults(),
		wake:       func(string) {},
		hosts:      map[string]*host{},
		namespaces: map[string]*namespace{},
		waiters:    map[waiterKey]*waiter{},
	}
}

// Notify says how to wake an object whose turn has come, and how to have a function called after a while, with the time of then. Neither may
// block. It must be called before the first Reserve; without it, objects have to ask again and again.
func (g *Gate) Notify(wake func(object string), after func(d time.Duration, f func(now time.Time))) {
	g.wake, g.after = wake, after
}

// Reservation is the right to one call. Done must be called when the call has ended, however it ended.
type Reservation struct {
	gate      *Gate
	lane      *lane
	client    *client
	namespace *namespace
	class     class
	epoch     int
	granted   time.Time
	started   time.Time
	done      bool
}

// Reserve returns a Reservation if the object may call the host now, otherwise a Delay. Exactly one of them is not nil.
func (g *Gate) Reserve(now time.Time, r Request) (*Reservation, *Delay) {
	g.mu.Lock()
	defer g.unlock()
	t := g.clock.at(now)
	g.sweep(t)

	w := g.waiter(t, now, r)
	if w.reservation == nil {
		g.serve(t, w.lane.host)
	}
	if w.reservation == nil {
		return nil, g.delay(t, now, w)
	}
	g.forget(w)
	w.reservation.started = t
	return w.reservation, nil
}

// Done ends the call and lets the gate learn from it. Only the first Done of a Reservation counts.
func (r *Reservation) Done(now time.Time, result Result) {
	g := r.gate
	g.mu.Lock()
	defer g.unlock()
	g.finish(g.clock.at(now), r, result)
}

// Forget says that an object, named as in Request.Object, no longer wants to call: it is gone, suspended or no longer due. A
// Reservation that it holds is not touched.
func (g *Gate) Forget(now time.Time, object string) {
	g.mu.Lock()
	defer g.unlock()
	t := g.clock.at(now)
	g.withdraw(t, waiterKey{object, false})
	g.withdraw(t, waiterKey{object, true})
}

// Withdraw says that an object does not want a token any more, but may still wait to have one verified.
func (g *Gate) Withdraw(now time.Time, object string) {
	g.mu.Lock()
	defer g.unlock()
	g.withdraw(g.clock.at(now), waiterKey{object, false})
}

func (g *Gate) withdraw(t time.Time, key waiterKey) {
	if w := g.waiters[key]; w != nil {
		g.drop(t, w)
		g.serve(t, w.lane.host)
	}
}

// unlock also wakes those whose turn has come.
func (g *Gate) unlock() {
	var objects []string
	for _, w := range g.woken {
		if g.waiters[w.waiterKey] == w {
			objects = append(objects, w.object)
		}
	}
	g.woken = g.woken[:0]
	g.mu.Unlock()
	for _, object := range objects {
		g.wake(object)
	}
}

// waiter finds or makes the waiter of a request. It has its old place if it wants the same as before.
func (g *Gate) waiter(t, now time.Time, r Request) *waiter {
	key := waiterKey{r.Object, r.Verify}
	l := g.host(t, r.Host).lane(r.Verify)
	c := l.client(t, r)
	old := g.waiters[key]
	same := old != nil && old.client == c
	if same && old.reservation != nil && !l.closedSince(t, old.reservation) {
		return old
	}
	w := &waiter{waiterKey: key, planned: r.Planned, expires: r.Expires, lane: l, client: c, namespace: g.namespace(r.Namespace), since: t}
	if same && old.reservation == nil {
		w.since, w.serial = old.since, old.serial
	} else {
		g.serial++
		w.serial = g.serial
	}
	if halfway, ok := r.halfway(); ok {
		w.halfway = t.Add(halfway.Sub(now))
	}
	w.insists = r.Changed || r.Requested && c.letsThrough(t)
	g.place(t, w)
	if old != nil {
		g.drop(t, old)
	}
	g.waiters[key] = w
	return w
}

// halfway is when half of a planned renewal's lead is used, in the caller's time.
func (r Request) halfway() (halfway time.Time, ok bool) {
	if !r.Planned || r.Due.IsZero() {
		return time.Time{}, false
	}
	lead := max(r.Expires.Sub(r.Due), 0) // 0 if it is due at its end only: then half of it is used at once
	return r.Due.Add(lead / 2), true
}

// forget ends the waiting of one that has its reservation or does not want it.
func (g *Gate) forget(w *waiter) {
	delete(g.waiters, w.waiterKey)
	if i := slices.Index(g.unclaimed, w); i >= 0 {
		g.unclaimed = slices.Delete(g.unclaimed, i, i+1)
	}
}

// drop removes a waiter, and releases what was reserved for it.
func (g *Gate) drop(t time.Time, w *waiter) {
	g.forget(w)
	if w.reservation != nil {
		g.finish(t, w.reservation, Result{})
		return
	}
	g.unplace(w)
}

// grant gives w a place.
func (g *Gate) grant(t time.Time, w *waiter) {
	r := &Reservation{gate: g, lane: w.lane, client: w.client, namespace: w.namespace, class: w.class, granted: t, started: t}
	g.unplace(w)
	w.lane.admit(t, w, r)
	g.inFlight++
	r.namespace.inFlight++
	w.reservation, w.lapsesAt = r, t.Add(claimWithin)
	if len(g.unclaimed) == 0 {
		g.call(claimWithin, g.lapse)
	}
	g.unclaimed, g.woken = append(g.unclaimed, w), append(g.woken, w)
}

// claimWithin is for how long a place is kept for an object that was woken. It comes within milliseconds unless the process has stopped.
const claimWithin = 10 * time.Second

// lapse takes back places that were not claimed in time. An object that comes later asks again.
func (g *Gate) lapse(t time.Time) {
	for len(g.unclaimed) > 0 && !t.Before(g.unclaimed[0].lapsesAt) {
		g.drop(t, g.unclaimed[0])
	}
	if len(g.unclaimed) > 0 {
		g.call(g.unclaimed[0].lapsesAt.Sub(t), g.lapse)
	}
}

// call has f called after a while, under the lock.
func (g *Gate) call(d time.Duration, f func(t time.Time)) {
	if g.after == nil {
		return
	}
	g.after(max(d, time.Millisecond), func(now time.Time) {
		g.mu.Lock()
		defer g.unlock()
		f(g.clock.at(now))
	})
}

func (g *Gate) finish(t time.Time, r *Reservation, result Result) {
	if r.done {
		return
	}
	r.done = true
	g.inFlight--
	r.namespace.inFlight--
	r.lane.release(r)
	r.lane.learn(g, t, r, result)
	g.serve(t, r.lane.host)
}

// steadyClock makes a clock that may be set back monotonic.
type steadyClock struct{ seen, time time.Time }

// at is the time of the steady clock. Callers that took their time a moment before others do not set it back.
func (c *steadyClock) at(now time.Time) time.Time {
	switch passed := now.Sub(c.seen); {
	case c.seen.IsZero():
		c.seen, c.time = now, now
	case passed > 0:
		c.seen, c.time = now, c.time.Add(passed)
	case passed < -time.Second:
		c.seen = now
	}
	return c.time
}

const (
	sweepEvery = time.Minute
	// rememberFor is how long an unused client or host is remembered.
	rememberFor = 2 * time.Hour
)

// sweep bounds the memory.
func (g *Gate) sweep(t time.Time) {
	if t.Sub(g.sweptAt) < sweepEvery {
		return
	}
	g.sweptAt = t
	for name, h := range g.hosts {
		if h.sweep(t) {
			delete(g.hosts, name)
		}
	}
	for name, n := range g.namespaces {
		if n.inFlight == 0 && n.waiters == 0 {
			delete(g.namespaces, name)
		}
	}
}
