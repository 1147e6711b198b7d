// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Gate decides which object may call which host and when. It never blocks and has no clock: callers pass the time. Objects that have to wait
// are queued here and woken when it is their turn. It is safe for concurrent use.
type Gate struct {
	limits Limits
	wake   func(object string)
	after  func(time.Duration, func(now time.Time))

	mu         sync.Mutex // guards what follows
	clock      steadyClock
	hosts      map[string]*host
	namespaces map[string]*namespace
	waiters    map[waiterKey]*waiter
	// unclaimed waiters have a reservation and have not come for it yet, the oldest first.
	unclaimed []*waiter
	// blocked lanes have a waiter that could go if there were a free worker, or if its namespace had fewer calls in flight.
	blocked []*lane
	woken   []*waiter

	inFlight          int
	waitingNamespaces int
	serial            uint64 // of the latest waiter
	sweptAt           time.Time
}

// Reservation is the right to make one call. Call Done when the call has ended, however it ended.
type Reservation struct {
	gate      *Gate
	lane      *lane
	client    *client
	namespace *namespace
	class     class
	epoch     int // of the lane
	granted   time.Time
	started   time.Time
	done      bool
}

// A host is one host and port. Tokens and verifications share its rate and its concurrency, but failures of one kind say nothing about the
// other.
type host struct {
	maxInFlight    int
	qps            float64
	rate           *rate.Limiter
	unplannedRate  *rate.Limiter // calls that are not planned renewals need a token of this one, too
	tokens, verify *lane
	// verifyPassedOver counts calls for tokens since a waiting verification last went.
	verifyPassedOver int
	usedAt           time.Time
	fastAt           time.Time // of the last quick answer
	timerAt          time.Time // when the host is served next without any event. Zero: not scheduled
}

// A lane has the calls of one kind to a host: for tokens, or verifications.
type lane struct {
	host        *host
	maxInFlight int
	clients     map[clientKey]*client
	proven      int // clients in state proven
	queue       [classes]fairQueue
	waiting     int // in queue
	parked      []*client
	// blocked is that of Gate.blocked.
	blocked bool

	inFlight, failingInFlight int
	// concurrencyLimit bounds epochInFlight, the calls in flight that began in this epoch. A 429 begins a new epoch: calls that were in flight
	// then no longer count.
	concurrencyLimit, epoch, epochInFlight int
	sinceFailing, sinceUnplanned           int                         // calls of other classes since a waiting one of the class last went
	records                                map[string]*namespaceRecord // by namespace
	refused                                map[*namespaceRecord]bool   // those with refusals
	pause                                  pause
	breaker                                breaker
	// recovering says that the host paused or throttled a probe, and has served nobody since.
	recovering bool
}

// A namespaceRecord is what a lane remembers about a namespace.
type namespaceRecord struct {
	// refusedAt are the refusals of the last minute, unplanned the calls in flight that may add to them.
	refusedAt []time.Time
	unplanned int
	// lastUntil is until when the namespace goes after all others, because one of its calls hung.
	lastUntil time.Time
}

// A pause stops calls to a host that throttles everyone.
type pause struct {
	evidence
	from, to time.Time
	// retryAt is the latest time at which a client was told to come back.
	retryAt time.Time
	// sample is the call that was let through in this pause. Nil: none. sampledAt is when the last one ended, possibly in an earlier pause.
	sample    *Reservation
	sampledAt time.Time
	// provenFailed says that the evidence includes a client that was served until then.
	provenFailed bool
}

// A breaker limits a host that serves nobody to one call at a time.
type breaker struct {
	evidence
	open    bool
	wait    time.Duration // between probes
	probeAt time.Time
	endedAt time.Time // of the last probe, or when the breaker opened
	probe   *Reservation
	// provenFailed says that the evidence includes a client that was served until then.
	provenFailed bool
}

// clientState is what a client's calls to one host have shown.
type clientState int

const (
	unproven clientState = iota // nothing yet, or a refusal
	proven                      // its last answer was a token
	failing                     // a 429, a 5xx or no answer since its last token
)

// A client is one client Secret at one host.
type client struct {
	key          clientKey
	state        clientState
	servedBefore bool // and not refused since
	// pausedTo is until when it was told to wait, throttledAt when it was told so, bypassedAt when a request last did not have to wait.
	pausedTo, throttledAt, bypassedAt time.Time
	waiters                           map[*waiter]bool
	inFlight                          int
	usedAt                            time.Time
}

// A namespace counts its calls to all hosts, so that its objects cannot take all workers, whatever they call.
type namespace struct {
	name     string
	inFlight int
	// waiters are all of them, queued those that are not parked.
	waiters, queued int
}

type waiterKey struct {
	object string
	verify bool
}

// A waiter is an object that wants to make a call, until it makes it or gives up.
type waiter struct {
	waiterKey
	lane      *lane
	client    *client
	namespace *namespace
	planned   bool
	// bypassesPause says that it does not wait for the end of its client's own pause.
	bypassesPause bool
	expires       time.Time // of the object's token. Zero: it has none
	leadHalfUsed  time.Time // of a planned renewal. Zero: it is not one
	since         time.Time
	serial        uint64
	class         class
	// reservation was granted, to be claimed before lapsesAt. Nil: none yet.
	reservation *Reservation
	lapsesAt    time.Time
}

// A class ranks waiters: the lower ones go first.
type class int

const (
	classPlanned class = iota
	classUnplanned
	classFailing
	classFailingUnserved // failing, and never served
	classes
	// classParked is for waiters whose client is paused. They are not queued.
	classParked class = -1
)

// A fairQueue has the waiters of one class. Namespaces take turns.
type fairQueue struct{ namespaces []*namespaceQueue }

// A namespaceQueue has the waiters of one namespace, the least time left first.
type namespaceQueue struct {
	namespace *namespace
	waiters   []*waiter
}
