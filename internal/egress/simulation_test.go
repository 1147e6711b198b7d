package egress

import (
	"cmp"
	"container/heap"
	"math/rand/v2"
	"testing"
	"time"
)

// simulation drives a gate with objects that do what a controller does: ask, come back when told, call, and report the
// result. Its clock jumps from event to event, so hours take milliseconds, and equal seeds make equal runs.
type simulation struct {
	t      *testing.T
	gate   *Gate
	now    time.Time
	random *rand.Rand
	events events
	serial int

	// late is how late an object may come back, as a busy controller makes it.
	late time.Duration
	// call is what an endpoint does with a request.
	call func(*object) (took time.Duration, result Result)
	// finished runs after each call.
	finished func(*object, Result)

	inFlight map[string]int // by endpoint, and by namespace
	peak     map[string]int
	calls    map[string][]time.Time // by endpoint, when each began
}

type object struct {
	Ask
	polls, calls int
	asked        time.Time // first
	admitted     time.Time // last
	gone         bool
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

func simulate(t *testing.T, limits Limits, seed uint64) *simulation {
	t.Helper()
	return &simulation{
		t: t, gate: NewGate(limits), now: start, random: rand.New(rand.NewPCG(seed, 0)),
		late:     20 * time.Millisecond,
		call:     func(*object) (time.Duration, Result) { return 50 * time.Millisecond, Result{Kind: OK} },
		finished: func(*object, Result) {},
		inFlight: map[string]int{}, peak: map[string]int{}, calls: map[string][]time.Time{},
	}
}

func (s *simulation) after(d time.Duration, do func()) {
	s.serial++
	heap.Push(&s.events, event{s.now.Add(d), s.serial, do})
}

// ask has an object ask now, and again for as long as it is told to wait.
func (s *simulation) ask(o *object) {
	if o.gone {
		return
	}
	if o.polls == 0 {
		o.asked = s.now
	}
	o.polls++
	permit, wait := s.gate.Admit(s.now, o.Ask)
	if (permit == nil) == (wait == nil) {
		s.t.Fatalf("Admit returned %v and %v", permit, wait)
	}
	if wait != nil {
		if wait.For < 5*time.Millisecond || wait.For > 3*time.Minute {
			s.t.Fatalf("told to wait for %v (%s)", wait.For, wait.Reason)
		}
		delay := wait.For
		if s.late > 0 {
			delay += s.jitter(s.late)
		}
		s.after(delay, func() { s.ask(o) })
		return
	}
	o.admitted = s.now
	o.calls++
	s.calls[o.Endpoint] = append(s.calls[o.Endpoint], s.now)
	for _, key := range []string{o.Endpoint, "namespace " + o.Namespace} {
		s.inFlight[key]++
		s.peak[key] = max(s.peak[key], s.inFlight[key])
	}
	took, result := s.call(o)
	s.after(took, func() {
		permit.Done(s.now, result)
		s.inFlight[o.Endpoint]--
		s.inFlight["namespace "+o.Namespace]--
		s.finished(o, result)
	})
}

// run goes on until nothing is left to do, or for as long as given.
func (s *simulation) run(most time.Duration) {
	end := s.now.Add(most)
	for len(s.events) > 0 && !s.events[0].at.After(end) {
		next := heap.Pop(&s.events).(event)
		s.now = next.at
		next.do()
	}
	if s.now.Before(end) && len(s.events) > 0 {
		s.now = end
	}
}

func (s *simulation) jitter(most time.Duration) time.Duration {
	return time.Duration(s.random.Int64N(int64(most)))
}
