// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"cmp"
	"container/heap"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// simulation drives a gate with objects that do what a controller does: ask, come back when woken, call, and report the
// result. Its clock jumps from event to event, so hours take milliseconds, and equal seeds make equal runs.
type simulation struct {
	t      testing.TB
	gate   *Gate
	now    time.Time
	random *rand.Rand
	events events
	serial int

	// late is how late an object may come when it is woken, as a busy controller makes it.
	late time.Duration
	// call is what a host does with a request.
	call func(*object) (took time.Duration, result Result)
	// finished runs after each call.
	finished func(*object, Result)

	objects  map[string]*object
	woken    []string       // objects of which the simulation knows nothing
	inFlight map[string]int // by host, and by namespace
	peak     map[string]int
	calls    map[string][]time.Time // by host, when each began
}

type object struct {
	Request
	asks, calls int
	asked       time.Time // first
	admitted    time.Time // last
	gone        bool
	waiting     bool
	due         int // serial of the event by which it asks again
	// delays are those that it was told.
	delays []Delay

	life, lead time.Duration // of its tokens
	bad        bool
	retries    int
	expired    int
	least      time.Duration // that a token had left when the next one was there
}

type event struct {
	at     time.Time
	serial int
	do     func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return cmp.Or(e[i].at.Compare(e[j].at), cmp.Compare(e[i].serial, e[j].serial)) < 0
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

var start = time.Date(2026, 3, 29, 0, 59, 58, 7e8, time.UTC)

func simulate(t testing.TB, limits Limits, seed uint64) *simulation {
	t.Helper()
	s := &simulation{
		t: t, now: start, random: rand.New(rand.NewPCG(seed, 0)),
		late:     20 * time.Millisecond,
		call:     func(*object) (time.Duration, Result) { return 50 * time.Millisecond, Result{Kind: Served} },
		finished: func(*object, Result) {},
		objects:  map[string]*object{}, inFlight: map[string]int{}, peak: map[string]int{}, calls: map[string][]time.Time{},
	}
	s.restart(limits)
	return s
}

// restart begins with a gate that knows nothing.
func (s *simulation) restart(limits Limits) {
	g := NewGate(limits)
	s.gate = g
	g.Notify(
		func(name string) {
			o := s.objects[name]
			switch {
			case s.gate != g:
			case o == nil:
				s.woken = append(s.woken, name)
			default:
				s.after(s.jitter(s.late), func() {
					if o.waiting {
						s.ask(o)
					}
				})
			}
		},
		func(d time.Duration, f func(time.Time)) {
			if d <= 0 {
				s.t.Fatalf("called after %v", d)
			}
			s.after(d, func() { f(s.now) })
		})
}

func (s *simulation) after(d time.Duration, do func()) int {
	s.serial++
	heap.Push(&s.events, event{s.now.Add(d), s.serial, do})
	return s.serial
}

// ask has an object ask now, and again when it is woken.
func (s *simulation) ask(o *object) {
	s.objects[o.Object] = o
	o.waiting = false
	if o.gone {
		return
	}
	if o.asks == 0 {
		o.asked = s.now
	}
	o.asks++
	reservation, delay := s.gate.Reserve(s.now, o.Request)
	if (reservation == nil) == (delay == nil) {
		s.t.Fatalf("Reserve returned %v and %v", reservation, delay)
	}
	if delay != nil {
		if delay.For <= 0 || delay.For > 5*time.Minute || delay.Since.After(s.now) {
			s.t.Fatalf("told %+v", delay)
		}
		o.delays = append(o.delays, *delay)
		o.waiting = true
		var serial int
		serial = s.after(delay.For, func() {
			if o.waiting && o.due == serial {
				s.ask(o)
			}
		})
		o.due = serial
		return
	}
	o.admitted = s.now
	o.calls++
	s.calls[o.Host] = append(s.calls[o.Host], s.now)
	for _, key := range []string{o.Host, "namespace " + o.Namespace} {
		s.inFlight[key]++
		s.peak[key] = max(s.peak[key], s.inFlight[key])
	}
	took, result := s.call(o)
	s.after(took, func() {
		reservation.Done(s.now, result)
		s.inFlight[o.Host]--
		s.inFlight["namespace "+o.Namespace]--
		s.finished(o, result)
	})
}

// run lets time pass.
func (s *simulation) run(most time.Duration) {
	end := s.now.Add(most)
	for len(s.events) > 0 && !s.events[0].at.After(end) {
		next := heap.Pop(&s.events).(event)
		s.now = next.at
		next.do()
	}
	s.now = end
}

func (s *simulation) jitter(most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	return time.Duration(s.random.Int64N(int64(most)))
}

// lives has an object do what a credential does: renew its token, and try again after what fails. A zero Expires is a new one.
func (s *simulation) lives(o *object) {
	o.least = o.life
	if o.Expires.IsZero() {
		s.ask(o)
		return
	}
	o.Proven = true
	s.renewAt(o, o.Expires.Add(-o.lead))
}

func (s *simulation) renewAt(o *object, due time.Time) {
	o.Due = due
	s.after(max(due.Sub(s.now), 0)+s.jitter(s.late), func() { s.wants(o) })
}

// wants asks for what the object's state calls for.
func (s *simulation) wants(o *object) {
	o.Planned = !o.Expires.IsZero() && s.now.Before(o.Expires)
	s.ask(o)
}

// lived is what becomes of an object after a call: the contract's table of failures.
func (s *simulation) lived(o *object, r Result) {
	left := o.Expires.Sub(s.now)
	switch r.Kind {
	case Served:
		if !o.Expires.IsZero() {
			o.least = min(o.least, left)
			if left <= 0 {
				o.expired++
			}
		}
		o.retries, o.Failures, o.Proven = 0, 0, true
		o.Expires = o.admitted.Add(o.life)
		s.renewAt(o, o.Expires.Add(-o.lead-s.jitter(o.life/10)))
	case Throttled:
		wait := r.RetryAfter
		if !r.HasRetryAfter {
			wait = 30 * time.Second
		}
		s.failedOnce(o)
		s.after(wait, func() { s.wants(o) })
	case Unavailable:
		most := min(5*time.Minute, 2*time.Second<<min(o.retries, 10))
		if !o.Expires.IsZero() && left > 0 {
			most = min(most, max(left/4, 10*time.Second))
		}
		s.failedOnce(o)
		s.after(max(s.jitter(most), 10*time.Second), func() { s.wants(o) })
	case Refused:
		s.failedOnce(o)
		o.Failures = 0
		s.after(15*time.Minute, func() { s.wants(o) })
	case Answered, Cancelled:
		s.after(10*time.Second, func() { s.wants(o) })
	}
}

func (s *simulation) failedOnce(o *object) {
	o.retries++
	o.Failures = o.retries
}

// within counts the calls to a host that began in a span after begin.
func (s *simulation) within(host string, begin time.Time, d time.Duration) (n int) {
	for _, at := range s.calls[host] {
		if since := at.Sub(begin); since >= 0 && since < d {
			n++
		}
	}
	return n
}

const hostName = "auth.example:443"

// newObject is one with a client of its own.
func newObject(namespace string, i int) *object {
	return &object{Request: Request{
		Host: hostName, Namespace: namespace, Client: fmt.Sprintf("client-%d", i), Object: fmt.Sprintf("%s/%d", namespace, i),
	}}
}
