package egress

import (
	"slices"
	"sync"
	"time"
)

// Limits bound the calls of the whole process. The zero value means the defaults.
type Limits struct {
	QPS               float64 // calls a second to one endpoint; a second's worth may go at once. 0: 20
	HostInFlight      int     // calls in flight to one endpoint. 0: 8
	NamespaceInFlight int     // calls in flight of one namespace's objects, all endpoints together. 0: 16
	// StrangersInFlight bounds the calls in flight to all endpoints together that have not answered lately, a third of it
	// those of one namespace: many servers that hang must leave workers to those that work. 0: 24
	StrangersInFlight int
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
	if l.StrangersInFlight <= 0 {
		l.StrangersInFlight = 24
	}
	return l
}

// Ask is an object's wish to call an endpoint now.
type Ask struct {
	Endpoint  string // Endpoint.String()
	Namespace string
	Object    string    // namespace/name
	Expires   time.Time // when the token that it holds dies; zero: it holds none
	Since     time.Time // since when it is due; zero: since now
	// Unplanned says that the object does not come because its time has come but because something has changed: maybe for all objects at
	// once, who then leave a part of the rate to the others.
	Unplanned bool
}

// The reasons of a Wait.
const (
	ReasonRate              = "rate"
	ReasonHostInFlight      = "host-in-flight"
	ReasonNamespaceInFlight = "namespace-in-flight"
	ReasonStrangers         = "strangers-in-flight"
	ReasonPaused            = "paused"  // after a 429
	ReasonBreaker           = "breaker" // after failures in a row
)

// Wait says that an object may not go yet. It should ask again after For, which is positive, and not hold a worker until
// then. The object is remembered meanwhile, so that those who come later or are less urgent do not overtake it.
type Wait struct {
	For    time.Duration
	Reason string // one of the Reason constants
}

// ResultKind is what a call taught about its endpoint.
type ResultKind int

// The zero kind is Cancelled, so that a Result that nobody filled in teaches nothing.
const (
	Cancelled   ResultKind = iota // given up by ourselves, or never sent
	OK                            // the endpoint is alive: any answer but those below, 4xx included
	Unavailable                   // 5xx, timeout, reset, DNS, TLS
	Throttled                     // 429
)

// Result is how a call ended.
type Result struct {
	Kind          ResultKind
	RetryAfter    time.Duration // of Throttled, if HasRetryAfter
	HasRetryAfter bool
}

// Gate paces the calls of all objects, per endpoint and per namespace. It never blocks and knows no clock: times are
// parameters. It is safe for concurrent use. What it knows of an endpoint is forgotten some minutes after the last call.
type Gate struct {
	limits Limits

	mu         sync.Mutex
	endpoints  map[string]*endpointGate
	namespaces map[string]*namespaceGate
	waiting    whereabouts
	strangers  int // calls in flight to endpoints that have not answered lately
	sweptAt    time.Time
}

// NewGate returns a gate that knows no endpoint yet.
func NewGate(limits Limits) *Gate {
	return &Gate{
		limits:     limits.withDefaults(),
		endpoints:  map[string]*endpointGate{},
		namespaces: map[string]*namespaceGate{},
		waiting:    whereabouts{},
	}
}

// Permit is the right to one call. Done must be called when the call has ended, however it ended.
type Permit struct {
	gate      *Gate
	endpoint  *endpointGate
	namespace *namespaceGate
	started   time.Time
	stranger  bool
	done      bool
}

// Admit returns a Permit when the object may call the endpoint now, else a Wait. Exactly one of them is not nil.
func (g *Gate) Admit(now time.Time, a Ask) (*Permit, *Wait) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sweep(now)

	e, n := g.endpoint(a.Endpoint, now), g.namespace(a.Namespace)
	e.queue.remove(a.Object)
	n.queue.remove(a.Object)
	e.queue.advance(now)
	n.queue.advance(now)
	w := &waiter{object: a.Object, expires: a.Expires, since: a.Since, unplanned: a.Unplanned}
	if w.since.IsZero() || w.since.After(now) {
		w.since = now
	}

	if wait := e.refusal(now, w); wait != nil {
		return nil, remember(e.queue, w, now, wait)
	}
	// Only who could go at its endpoint waits for its namespace, and only there: it must not hold back the other namespaces'
	// objects at the endpoint, nor an object of its own namespace that could go elsewhere.
	if wait := n.refusal(w); wait != nil {
		return nil, remember(n.queue, w, now, wait)
	}
	stranger := !e.proven
	if stranger && (g.strangers >= g.limits.StrangersInFlight || n.strangers >= max(1, g.limits.StrangersInFlight/3)) {
		return nil, remember(e.queue, w, now, &Wait{Reason: ReasonStrangers, For: strangersWait})
	}
	e.queue.admitted(w)
	n.queue.admitted(w)
	n.inFlight++
	if stranger {
		g.strangers++
		n.strangers++
	}
	permit := &Permit{gate: g, endpoint: e, namespace: n, started: now, stranger: stranger}
	e.admit(now, w, permit)
	return permit, nil
}

func remember(q *queue, w *waiter, now time.Time, wait *Wait) *Wait {
	wait.For = bounded(wait.For, w.expires.Sub(now))
	w.due = now.Add(wait.For)
	q.put(w)
	return wait
}

// Done ends the call and lets the endpoint's gate learn from it. Only the first Done of a Permit counts.
func (p *Permit) Done(now time.Time, r Result) {
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	if p.done {
		return
	}
	p.done = true
	p.namespace.inFlight--
	p.endpoint.inFlight--
	if p.stranger {
		p.gate.strangers--
		p.namespace.strangers--
	}
	if r.Kind != Cancelled {
		took := now.Sub(p.started)
		p.endpoint.pace.observe(took)
		p.namespace.pace.observe(took)
	}
	p.endpoint.learn(now, p, r)
}

// Forget says that an object, named as in Ask.Object, will not come back: it is gone, suspended or no longer due. A Permit
// that it holds is not touched.
func (g *Gate) Forget(object string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, q := range slices.Clone(g.waiting[object]) {
		q.remove(object)
	}
}

func (g *Gate) endpoint(name string, now time.Time) *endpointGate {
	e, ok := g.endpoints[name]
	if !ok {
		e = newEndpointGate(g.limits, newQueue(g.waiting), now)
		g.endpoints[name] = e
	}
	e.askedAt = now
	return e
}

func (g *Gate) namespace(name string) *namespaceGate {
	n, ok := g.namespaces[name]
	if !ok {
		n = &namespaceGate{limit: g.limits.NamespaceInFlight, queue: newQueue(g.waiting)}
		g.namespaces[name] = n
	}
	return n
}

const (
	sweepEvery = time.Minute
	idleAfter  = 10 * time.Minute
)

// sweep bounds the memory: it forgets endpoints that nobody has asked for lately and namespaces that have nothing going on.
func (g *Gate) sweep(now time.Time) {
	if since := now.Sub(g.sweptAt); since >= 0 && since < sweepEvery {
		return
	}
	g.sweptAt = now
	for name, e := range g.endpoints {
		e.queue.advance(now)
		if e.inFlight == 0 && e.queue.len() == 0 && now.Sub(e.askedAt) > idleAfter {
			delete(g.endpoints, name)
		}
	}
	for name, n := range g.namespaces {
		n.queue.advance(now)
		if n.inFlight == 0 && n.queue.len() == 0 {
			delete(g.namespaces, name)
		}
	}
}
