package egress

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// A token that is about to expire is not delayed by a mass of objects that have none, whenever either of them comes.
func TestMassOfNewObjectsDelaysNoToken(t *testing.T) {
	t.Parallel()
	s := simulate(t, Limits{NamespaceInFlight: 1000}, 3)
	for i := range 2500 {
		s.after(s.jitter(60*time.Second), func() {
			s.ask(&object{Ask: Ask{Endpoint: host, Namespace: "mass", Object: fmt.Sprintf("mass/%d", i), Since: s.now}})
		})
	}
	var held []*object
	for i := range 100 { // 2 a second, a tenth of the rate
		o := &object{}
		held = append(held, o)
		s.after(time.Second+time.Duration(i)*500*time.Millisecond, func() {
			o.Ask = Ask{Endpoint: host, Namespace: "held", Object: fmt.Sprintf("held/%d", i), Since: s.now, Expires: s.now.Add(time.Minute)}
			s.ask(o)
		})
	}
	s.run(time.Hour)
	var waits []time.Duration
	for _, o := range held {
		waits = append(waits, o.admitted.Sub(o.asked))
	}
	slices.Sort(waits)
	t.Logf("waits of those with a token: median %v, longest %v", waits[50], waits[99])
	if waits[99] > 1500*time.Millisecond {
		t.Errorf("a token waited for %v behind objects without one", waits[99])
	}
}

// The same where slots are short and not the rate: who is next comes back often enough to be there when a call ends.
func TestMassOfNewObjectsTakesNoSlot(t *testing.T) {
	t.Parallel()
	s := simulate(t, Limits{NamespaceInFlight: 1000}, 8)
	s.call = func(*object) (time.Duration, Result) { return 12 * time.Second, Result{Kind: OK} }
	for i := range 3000 {
		s.after(s.jitter(2*time.Minute), func() {
			s.ask(&object{Ask: Ask{Endpoint: host, Namespace: "mass", Object: fmt.Sprintf("mass/%d", i), Since: s.now}})
		})
	}
	held := &object{}
	asked := 70 * time.Second // all eight slots are taken by then, since 60 s at the latest
	s.after(asked, func() {
		held.Ask = Ask{Endpoint: host, Namespace: "held", Object: "held/o", Since: s.now, Expires: s.now.Add(time.Minute)}
		s.ask(held)
	})
	s.run(2 * time.Minute)
	var ends []time.Duration // of the calls that were in flight when it asked, in order
	for _, at := range s.calls[host] {
		if begin := at.Sub(start); begin < asked && begin+12*time.Second > asked {
			ends = append(ends, begin+12*time.Second)
		}
	}
	if len(ends) != 8 {
		t.Fatalf("%d calls in flight, want 8", len(ends))
	}
	admitted := held.admitted.Sub(start)
	t.Logf("asked at %v, slots became free at %v and %v, admitted at %v", asked, ends[0], ends[1], admitted)
	// The first may be the oldest one's turn. A second is how often the first in the queue comes back.
	if held.calls != 1 || admitted > ends[1]+1100*time.Millisecond {
		t.Errorf("the object that holds a token was admitted at %v", admitted)
	}
}

// More urgent objects than the endpoint can take, for ever: the others get every fourth admission.
func TestNothingStarves(t *testing.T) {
	t.Parallel()
	s := simulate(t, Limits{NamespaceInFlight: 1000}, 4)
	for i := range 60 * 40 { // twice the rate for a minute
		s.after(time.Duration(i)*25*time.Millisecond, func() {
			s.ask(&object{Ask: Ask{Endpoint: host, Namespace: "urgent", Object: fmt.Sprintf("urgent/%d", i), Since: s.now, Expires: s.now.Add(time.Minute)}})
		})
	}
	var patient []*object
	s.after(2*time.Second, func() {
		for i := range 100 {
			o := &object{Ask: Ask{Endpoint: host, Namespace: "patient", Object: fmt.Sprintf("patient/%d", i), Since: s.now}}
			patient = append(patient, o)
			s.ask(o)
		}
	})
	s.run(58 * time.Second) // while the urgent ones still come
	var last time.Duration
	for _, o := range patient {
		if o.calls == 0 {
			t.Fatalf("%s has not been admitted within a minute", o.Object)
		}
		last = max(last, o.admitted.Sub(o.asked))
	}
	// The urgent ones that came first are older, so the patient ones wait for some of these, too.
	t.Logf("the last of 100 waited for %v", last)
}

func TestQueueGivesEveryFourthToTheOldest(t *testing.T) {
	t.Parallel()
	q := newQueue(whereabouts{})
	waiters := map[string]*waiter{}
	for i := range 12 {
		// The older, the less urgent.
		w := &waiter{object: fmt.Sprintf("%02d", i), since: start.Add(time.Duration(i) * time.Second), expires: start.Add(time.Hour - time.Duration(i)*time.Minute), due: start}
		waiters[w.object] = w
		q.put(w)
	}
	q.advance(start)
	var order []string
	for range 12 {
		var admitted []*waiter
		for name, w := range waiters {
			q.remove(name)
			if q.admits(w, 1) {
				admitted = append(admitted, w)
			}
			q.put(w)
			q.advance(start)
		}
		if len(admitted) != 1 {
			t.Fatalf("%d would be admitted to one place", len(admitted))
		}
		q.remove(admitted[0].object)
		q.admitted(admitted[0])
		delete(waiters, admitted[0].object)
		order = append(order, admitted[0].object)
	}
	if got, want := fmt.Sprint(order), "[11 10 09 00 08 07 06 01 05 04 03 02]"; got != want {
		t.Errorf("order %s, want %s", got, want)
	}
}

// Whatever the room, as many as fit are admitted, and never more.
func TestQueueFillsTheRoom(t *testing.T) {
	t.Parallel()
	s := simulate(t, Limits{}, 5)
	for range 300 {
		q := newQueue(whereabouts{})
		q.sinceOldest = s.random.IntN(6)
		n := 1 + s.random.IntN(30)
		var waiters []*waiter
		for i := range n {
			w := &waiter{object: fmt.Sprint(i), since: start.Add(s.jitter(time.Minute)), due: start}
			if s.random.IntN(2) == 0 {
				w.expires = start.Add(s.jitter(time.Hour))
			}
			waiters = append(waiters, w)
			q.put(w)
		}
		room := s.random.IntN(n + 3)
		admitted := 0
		for _, w := range waiters {
			q.remove(w.object)
			q.advance(start)
			if q.admits(w, room) {
				admitted++
			}
			q.put(w)
		}
		if admitted != min(room, n) {
			t.Fatalf("%d of %d would be admitted to %d places", admitted, n, room)
		}
	}
}

// A server that hangs: its own objects wait, the others are not delayed, not even those of its namespace.
func TestHangingEndpointDelaysNobodyElse(t *testing.T) {
	t.Parallel()
	p99 := func(hanging bool, sameNamespace bool) time.Duration {
		s := simulate(t, Limits{}, 6)
		s.call = func(o *object) (time.Duration, Result) {
			if o.Endpoint == "hangs.example:443" {
				return 15 * time.Second, Result{Kind: Unavailable}
			}
			return 50 * time.Millisecond, Result{Kind: OK}
		}
		s.finished = func(o *object, r Result) {
			if r.Kind == Unavailable {
				s.after(2*time.Second, func() { s.ask(o) })
			}
		}
		if hanging {
			for i := range 100 {
				s.ask(&object{Ask: Ask{Endpoint: "hangs.example:443", Namespace: "a", Object: fmt.Sprintf("a/hangs%d", i), Since: start, Expires: start.Add(time.Minute)}})
			}
		}
		namespace := "b"
		if sameNamespace {
			namespace = "a"
		}
		var healthy []*object
		for i := range 100 {
			o := &object{Ask: Ask{Endpoint: host, Namespace: namespace, Object: fmt.Sprintf("%s/%d", namespace, i), Since: start}}
			healthy = append(healthy, o)
			s.after(s.jitter(time.Second), func() { s.ask(o) })
		}
		s.run(10 * time.Minute)
		if got := s.peak["hangs.example:443"]; got > 2 {
			t.Errorf("%d calls hang at once, want 2 at a stranger", got)
		}
		if got := len(s.calls["hangs.example:443"]); hanging && (got < 10 || got > 20) {
			t.Errorf("%d calls to the hanging endpoint in ten minutes, want one probe a minute and the first few", got)
		}
		var waits []time.Duration
		for _, o := range healthy {
			if o.calls != 1 {
				t.Fatalf("%s was admitted %d times", o.Object, o.calls)
			}
			waits = append(waits, o.admitted.Sub(o.asked))
		}
		slices.Sort(waits)
		return waits[98]
	}
	alone := p99(false, false)
	for _, same := range []bool{false, true} {
		if beside := p99(true, same); beside > alone*11/10 {
			t.Errorf("same namespace %v: 99th percentile %v beside a hanging endpoint, %v alone", same, beside, alone)
		}
	}
}
