// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// wish is a request of an object whose client Secret has the same name.
func wish(object string) Request {
	return Request{Host: hostName, Namespace: "ns", Client: object, Object: "ns/" + object}
}

// of gives a request another namespace.
func (r Request) of(namespace string) Request {
	r.Namespace, r.Object = namespace, namespace+"/"+r.Client
	return r
}

// at gives a request another host.
func (r Request) at(host string) Request { r.Host = host; return r }

// renewal is a planned one of a proven client, whose token has so much left.
func (s *simulation) renewal(object string, left time.Duration) Request {
	r := wish(object)
	r.Planned, r.Proven, r.Due, r.Expires = true, true, s.now, s.now.Add(left)
	return r
}

func (s *simulation) mustGo(r Request) *Reservation {
	s.t.Helper()
	reservation, delay := s.gate.Reserve(s.now, r)
	if reservation == nil {
		s.t.Fatalf("at +%v %s must wait (%s)", s.now.Sub(start), r.Object, delay.Reason)
	}
	return reservation
}

func (s *simulation) mustWait(r Request, reason string) {
	s.t.Helper()
	reservation, delay := s.gate.Reserve(s.now, r)
	if reservation != nil {
		s.t.Fatalf("at +%v %s may go, want a delay (%s)", s.now.Sub(start), r.Object, reason)
	}
	if delay.Reason != reason {
		s.t.Fatalf("at +%v %s must wait (%s), want %s", s.now.Sub(start), r.Object, delay.Reason, reason)
	}
}

// wokenNow gives the objects that were woken since it was last asked.
func (s *simulation) wokenNow() []string {
	woken := s.woken
	s.woken = nil
	return woken
}

func (s *simulation) wantWoken(want ...string) {
	s.t.Helper()
	if diff := cmp.Diff(want, s.wokenNow()); diff != "" {
		s.t.Fatalf("at +%v: woken: -want +got:\n%s", s.now.Sub(start), diff)
	}
}

var (
	served    = Result{Kind: Served}
	failed    = Result{Kind: Unavailable}
	throttled = Result{Kind: Throttled, RetryAfter: time.Minute, HasRetryAfter: true}
)

// warm is a simulation whose host has answered often enough to be known.
func warm(t testing.TB, limits Limits) *simulation {
	s := simulate(t, limits, 1)
	for i := range 3 {
		s.mustGo(wish(fmt.Sprintf("warm-%d", i))).Done(s.now, served)
	}
	s.now = s.now.Add(time.Minute + time.Second)
	s.run(0)
	return s
}

func TestGateCapsCallsOfAHost(t *testing.T) {
	t.Parallel()
	s := warm(t, Limits{})
	var reservations []*Reservation
	for i := range 8 {
		reservations = append(reservations, s.mustGo(wish(fmt.Sprint(i))))
	}
	s.mustWait(wish("ninth"), ReasonHostInFlight)
	s.mustWait(wish("tenth"), ReasonHostInFlight)
	reservations[0].Done(s.now, served)
	reservations[0].Done(s.now, served) // counts once
	s.wantWoken("ns/ninth")
	s.mustWait(wish("tenth"), ReasonHostInFlight)
	s.mustGo(wish("ninth"))
}

func TestGateKeepsTheRateOfAHost(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		qps   float64
		burst int
		next  time.Duration // after the burst
	}{
		{0, 20, 50 * time.Millisecond}, {5, 5, 200 * time.Millisecond}, {1, 1, time.Second}, {0.1, 1, 10 * time.Second}, {1.9, 1, 527 * time.Millisecond},
	} {
		s := simulate(t, Limits{QPS: tc.qps}, 1)
		for i := range tc.burst {
			s.mustGo(s.renewal(fmt.Sprint(i), time.Hour)).Done(s.now, served)
		}
		s.mustWait(s.renewal("next", time.Hour), ReasonRate)
		s.run(tc.next - 2*time.Millisecond)
		s.wantWoken()
		s.run(4 * time.Millisecond)
		s.wantWoken("ns/next")
	}
}

func TestGateCapsCallsOfANamespace(t *testing.T) {
	t.Parallel()
	s := simulate(t, Limits{}, 1)
	host := func(i int) string { return fmt.Sprintf("host-%d.example:443", i) }
	for i := range 16 {
		s.mustGo(wish(fmt.Sprint(i)).of("a").at(host(i)))
	}
	s.mustWait(wish("next").of("a").at(host(16)), ReasonNamespaceInFlight)
	s.mustGo(wish("other").of("b").at(host(16))) // who waits for his namespace holds nobody back at the host
}

// Caps give way while nobody else waits, where answers come soon, up to the last quarter of the workers. That is for namespaces with fewer than
// two calls in flight.
func TestNamespaceCapGivesWay(t *testing.T) {
	t.Parallel()
	s := simulate(t, Limits{QPS: 1000, HostInFlight: 100}, 1)
	for i := range 10 {
		s.mustGo(wish(fmt.Sprintf("first-%d", i)).of("a")).Done(s.now, served)
	}
	var reservations []*Reservation
	for i := range 24 {
		reservations = append(reservations, s.mustGo(wish(fmt.Sprint(i)).of("a")))
	}
	s.mustWait(wish("24").of("a"), ReasonWorkers)
	for i := range 2 {
		s.mustGo(wish(fmt.Sprint(i)).of("b"))
	}
	s.mustWait(wish("2").of("b"), ReasonWorkers)
	s.mustGo(wish("0").of("c"))
	s.mustGo(wish("1").of("c"))
	s.mustWait(wish("0").of("d"), ReasonWorkers) // a few workers are left to what calls nobody
	for i := range 5 {
		reservations[i].Done(s.now, served)
	}
	s.wantWoken("d/0")
	reservations[5].Done(s.now, served)
	s.wantWoken("b/2") // a has more than its 16, and others wait
	reservations[6].Done(s.now, served)
	s.wantWoken("a/24") // now nobody does
}

// Two wait for a worker, each at a host of his own. The first one gets the only worker that is free, and the second one the next.
func TestWorkersGoToEveryHost(t *testing.T) {
	t.Parallel()
	s := simulate(t, Limits{Workers: 2}, 1)
	calls := []*Reservation{s.mustGo(wish("1").of("a").at("busy.example:443")), s.mustGo(wish("2").of("b").at("busy.example:443"))}
	s.mustWait(wish("3").of("c").at("busy.example:443"), ReasonWorkers)
	s.mustWait(wish("4").of("d").at("other.example:443"), ReasonWorkers)
	calls[0].Done(s.now, served)
	s.wantWoken("c/3")
	calls[1].Done(s.now, served)
	s.wantWoken("d/4")
}

func TestNamespaceCapHoldsAtSlowHosts(t *testing.T) {
	t.Parallel()
	s := simulate(t, Limits{QPS: 1000, HostInFlight: 100}, 1)
	for i := range 10 {
		r := s.mustGo(wish(fmt.Sprintf("first-%d", i)))
		s.run(0)
		s.now = s.now.Add(2 * time.Second)
		r.Done(s.now, served)
	}
	for i := range 16 {
		s.mustGo(wish(fmt.Sprint(i)))
	}
	s.mustWait(wish("16"), ReasonNamespaceInFlight)
}

// One namespace cannot hold more than half of the workers with tokens and verifications together.
func TestNamespaceCapIsOverTokensAndVerifications(t *testing.T) {
	t.Parallel()
	s := simulate(t, Limits{Workers: 8}, 1)
	verify := func(i int) Request {
		r := wish(fmt.Sprint(i)).at(fmt.Sprintf("api-%d.example:443", i))
		r.Verify = true
		return r
	}
	for i := range 2 {
		s.mustGo(wish(fmt.Sprint(i)).at(fmt.Sprintf("host-%d.example:443", i)))
		s.mustGo(verify(i))
	}
	s.mustWait(wish("2").at("host-2.example:443"), ReasonNamespaceInFlight)
	s.mustWait(verify(2), ReasonNamespaceInFlight)
}

func TestVerificationsHaveAQuarterOfThePlaces(t *testing.T) {
	t.Parallel()
	s := warm(t, Limits{})
	verify := func(object string) Request { r := wish(object); r.Verify = true; return r }
	r := s.mustGo(verify("a"))
	s.mustGo(verify("b"))
	s.mustWait(verify("c"), ReasonHostInFlight)
	for i := range 6 {
		s.mustGo(wish(fmt.Sprint(i)))
	}
	s.mustWait(wish("6"), ReasonHostInFlight) // the places are the host's
	r.Done(s.now, throttled)
	s.wantWoken("ns/6")
	s.mustGo(wish("6")) // that the API throttles teaches nothing about tokens
	for i := range 5 {
		s.gate.hosts[hostName].verify.failed(s.now, s.gate.hosts[hostName].verify.client(s.now, verify(fmt.Sprint(i))), false)
	}
	s.mustWait(verify("c"), ReasonBreaker)
	s.mustWait(wish("7"), ReasonHostInFlight)
}

func TestGateStartsSlowlyAtANewHost(t *testing.T) {
	t.Parallel()
	s := simulate(t, Limits{QPS: 1000, NamespaceInFlight: 1000, Workers: 2000}, 1)
	a, b := s.mustGo(wish("a")), s.mustGo(wish("b"))
	s.mustWait(wish("c"), ReasonHostInFlight)
	a.Done(s.now, Result{}) // teaches nothing
	s.mustGo(wish("c"))
	s.mustWait(wish("d"), ReasonHostInFlight)
	b.Done(s.now, Result{Kind: Answered})
	for _, name := range []string{"d", "e", "f"} {
		s.mustGo(wish(name))
	}
	s.mustWait(wish("g"), ReasonHostInFlight)
}

// Namespaces take turns, and in each the least time left goes first.
func TestGateOrdersByNamespaceTurnAndTimeLeft(t *testing.T) {
	t.Parallel()
	s := simulate(t, Limits{QPS: 1}, 1)
	s.mustGo(wish("spends the token")).Done(s.now, served)
	dead := s.renewal("dead", -time.Minute)
	dead.Planned = false
	failing := func(object string) Request {
		r := s.renewal(object, time.Minute)
		r.Proven, r.Failures = object == "served", 1
		return r
	}
	for _, r := range []Request{
		failing("unserved"), failing("served"), wish("none").of("b"), wish("none"), dead,
		s.renewal("hour", time.Hour), s.renewal("minute", time.Minute), s.renewal("hour", 2*time.Hour).of("a"), s.renewal("day", 24*time.Hour).of("a"),
	} {
		s.mustWait(r, ReasonRate)
	}
	var order []string
	for range 12 {
		s.run(1200 * time.Millisecond)
		for _, name := range s.wokenNow() {
			order = append(order, name)
			r := s.gate.waiters[waiterKey{name, false}]
			s.gate.finish(s.now, r.reservation, Result{})
			s.gate.Forget(s.now, name)
		}
	}
	want := []string{"ns/minute", "a/hour", "ns/hour", "ns/served", "a/day", "b/none", "ns/dead", "ns/unserved", "ns/none"}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// While others wait failing clients have a quarter of the rate, and what is not planned a tenth.
func TestGateSharesOfFailingAndUnplannedCalls(t *testing.T) {
	t.Parallel()
	s := simulate(t, Limits{NamespaceInFlight: 1000, Workers: 2000}, 1)
	count := map[string]int{}
	s.call = func(o *object) (time.Duration, Result) { count[o.Client[:4]]++; return 50 * time.Millisecond, Result{} }
	s.finished = func(o *object, _ Result) { s.ask(o) }
	for i := range 50 {
		plan, unpl, fail := s.renewal(fmt.Sprintf("plan-%d", i), time.Hour), wish(fmt.Sprintf("unpl-%d", i)), wish(fmt.Sprintf("fail-%d", i))
		fail.Failures = 1 + i%9
		for _, r := range []Request{plan, unpl, fail} {
			s.ask(&object{Request: r})
		}
	}
	s.run(100 * time.Second)
	if p, u, f := count["plan"], count["unpl"], count["fail"]; p < 1200 || u < 190 || u > 240 || f < 490 || f > 520 {
		t.Errorf("%d planned, %d not, %d failing, want two thirds, a tenth and a quarter of 2,000", p, u, f)
	}
}

// A call that hangs keeps its place for long: failing clients have no more than a quarter of the places.
func TestFailingClientsHaveAQuarterOfThePlaces(t *testing.T) {
	t.Parallel()
	s := warm(t, Limits{})
	failing := func(object string) Request { r := wish(object); r.Failures = 1; return r }
	s.mustGo(failing("a"))
	s.mustGo(failing("b"))
	s.mustWait(failing("c"), ReasonHostInFlight)
	for i := range 6 {
		s.mustGo(wish(fmt.Sprint(i)))
	}
	s.mustWait(wish("6"), ReasonHostInFlight)
}

// And no less.
func TestFailingClientsKeepAQuarterOfThePlaces(t *testing.T) {
	t.Parallel()
	s := warm(t, Limits{})
	failing := func(object string) Request { r := wish(object); r.Failures = 1; return r }
	var reservations []*Reservation
	for i := range 8 {
		reservations = append(reservations, s.mustGo(wish(fmt.Sprint(i))))
	}
	s.mustWait(failing("a"), ReasonHostInFlight)
	s.mustWait(failing("b"), ReasonHostInFlight)
	s.mustWait(wish("8"), ReasonHostInFlight)
	s.mustWait(wish("9"), ReasonHostInFlight)
	for i := range 4 {
		reservations[i].Done(s.now, served)
	}
	woken := s.wokenNow()
	slices.Sort(woken)
	if diff := cmp.Diff([]string{"ns/8", "ns/9", "ns/a", "ns/b"}, woken); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestReservedPlaceIsFreedWhenUnused(t *testing.T) {
	t.Parallel()
	for name, gone := range map[string]func(s *simulation){
		"forgotten": func(s *simulation) { s.gate.Forget(s.now, "ns/gone") },
		"withdrawn": func(s *simulation) { s.gate.Withdraw(s.now, "ns/gone") },
		"lapsed":    func(s *simulation) { s.run(10 * time.Second) },
	} {
		s := warm(t, Limits{HostInFlight: 1})
		r := s.mustGo(wish("first"))
		s.mustWait(wish("gone"), ReasonHostInFlight)
		s.mustWait(wish("stays"), ReasonHostInFlight)
		r.Done(s.now, served)
		s.wantWoken("ns/gone")
		gone(s)
		s.wantWoken("ns/stays")
		s.mustGo(wish("stays"))
		if waiting := s.gate.hosts[hostName].tokens.waiting; len(s.gate.waiters) != 0 || len(s.gate.unclaimed) != 0 || waiting != 0 {
			t.Errorf("%s: %d are still remembered, %d wait", name, len(s.gate.waiters), waiting)
		}
	}
}

func TestClientIsPausedByItsOwn429(t *testing.T) {
	t.Parallel()
	s := warm(t, Limits{})
	s.mustGo(wish("client")).Done(s.now, Result{Kind: Throttled, RetryAfter: time.Hour, HasRetryAfter: true})
	other := wish("client")
	other.Object = "ns/of the same client"
	s.mustWait(other, ReasonClientPaused)
	s.mustGo(wish("another client"))
	changed := other
	changed.Changed = true
	s.mustGo(changed).Done(s.now, Result{})

	request := other
	request.Requested = true
	s.run(9 * time.Minute)
	s.mustWait(request, ReasonClientPaused)
	s.run(time.Minute)
	s.mustGo(request).Done(s.now, failed) // a person may try every ten minutes
	s.mustWait(request, ReasonClientPaused)
	s.run(10 * time.Minute)
	s.mustGo(request).Done(s.now, served)
	s.mustGo(other) // the token ended the pause
}

func TestPausedClientIsWokenAtItsRetryAfter(t *testing.T) {
	t.Parallel()
	s := warm(t, Limits{})
	s.mustGo(wish("client")).Done(s.now, throttled)
	s.mustWait(wish("client"), ReasonClientPaused)
	s.run(59 * time.Second)
	s.wantWoken()
	s.run(time.Second)
	s.wantWoken("ns/client")
}

// Refused attempts are bounded for a namespace at a host, but not the renewals of clients that were served.
func TestRefusedAttemptsOfANamespaceAreCapped(t *testing.T) {
	t.Parallel()
	s := warm(t, Limits{})
	for i := range 10 {
		s.mustGo(wish(fmt.Sprint(i))).Done(s.now, Result{Kind: Refused})
		s.run(time.Second)
	}
	s.mustWait(wish("next"), ReasonRefusals)
	s.mustGo(wish("next").of("other"))
	s.mustGo(wish("next").at("other.example:443"))
	s.mustGo(s.renewal("renewal", time.Minute)).Done(s.now, Result{Kind: Refused})
	s.mustWait(wish("next"), ReasonRefusals)
	s.run(49 * time.Second)
	s.wantWoken()
	s.run(time.Second)
	s.wantWoken("ns/next")
}

func TestEvidencePausesTheHost(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		result Result
		want   time.Duration
	}{
		"Retry-After":           {Result{Kind: Throttled, RetryAfter: 20 * time.Second, HasRetryAfter: true}, 20 * time.Second},
		"at most a minute":      {Result{Kind: Throttled, RetryAfter: 24 * time.Hour, HasRetryAfter: true}, time.Minute},
		"at least a second":     {Result{Kind: Throttled, HasRetryAfter: true}, time.Second},
		"negative":              {Result{Kind: Throttled, RetryAfter: -time.Hour, HasRetryAfter: true}, time.Second},
		"without Retry-After":   {Result{Kind: Throttled}, 30 * time.Second},
		"a value without a has": {Result{Kind: Throttled, RetryAfter: time.Hour}, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := warm(t, Limits{})
			s.mustGo(s.renewal("a", time.Hour)).Done(s.now, tc.result)
			b := s.mustGo(s.renewal("b", time.Hour))
			s.mustWait(s.renewal("c", time.Hour), ReasonHostInFlight) // one at a time
			b.Done(s.now, tc.result)
			s.mustWait(s.renewal("c", time.Hour), ReasonPaused)
			s.mustWait(wish("new"), ReasonPaused)
			sample := 10 * time.Second
			s.run(min(tc.want, sample) - time.Millisecond)
			s.wantWoken()
			s.run(time.Millisecond)
			s.wantWoken("ns/c")
			if tc.want <= sample {
				return
			}
			c := s.mustGo(s.renewal("c", time.Hour))
			s.mustWait(s.renewal("d", time.Hour), ReasonPaused) // one in each pause
			c.Done(s.now, tc.result)
			s.run(tc.want - sample - time.Millisecond)
			s.wantWoken()
			s.run(time.Millisecond)
			s.wantWoken("ns/d") // the next one, and no more until there is a token
			s.mustWait(s.renewal("e", time.Hour), ReasonHostInFlight)
		})
	}
}

func TestTokenEndsThePause(t *testing.T) {
	t.Parallel()
	s := warm(t, Limits{})
	before := s.mustGo(s.renewal("before", time.Hour))
	s.run(0)
	s.now = s.now.Add(time.Second)
	for _, name := range []string{"a", "b"} {
		s.mustGo(s.renewal(name, time.Hour)).Done(s.now, throttled)
	}
	before.Done(s.now, served) // it was asked for before the host began to throttle
	s.mustWait(s.renewal("c", time.Hour), ReasonPaused)
	s.run(sampleAfter)
	s.mustGo(s.renewal("c", time.Hour)).Done(s.now, served)
	d := s.mustGo(s.renewal("d", time.Hour))
	s.mustWait(s.renewal("e", time.Hour), ReasonHostInFlight) // one at a time until the next token
	d.Done(s.now, served)
	s.mustGo(s.renewal("e", time.Hour))
	s.mustGo(s.renewal("f", time.Hour))
}

func TestTroubleOfSomeClientsDoesNotPauseTheHost(t *testing.T) {
	t.Parallel()
	s := warm(t, Limits{})
	for i := range 10 { // new clients where others are proven; each is the only one to be told to wait
		s.mustGo(wish(fmt.Sprint(i))).Done(s.now, throttled)
	}
	s.mustGo(s.renewal("good", time.Hour)).Done(s.now, served)
	r := s.renewal("again", time.Hour)
	s.mustGo(r).Done(s.now, throttled)
	s.run(time.Minute)
	s.mustGo(r).Done(s.now, throttled) // one client, however often
	s.mustGo(s.renewal("good", time.Hour)).Done(s.now, served)
	for i := range 20 {
		s.mustGo(wish(fmt.Sprintf("new-%d", i))).Done(s.now, failed)
		s.run(time.Second)
	}
	s.mustGo(s.renewal("good", time.Hour))
}

// TestEvidenceOfSeveralClientsAddsUp: how many clients must be in trouble for a pause, by what has been seen a moment before.
func TestEvidenceOfSeveralClientsAddsUp(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		against, tokens int
		later           time.Duration
		want            int
	}{
		"nothing":                         {0, 0, 0, 2},
		"tokens at a host that was well":  {0, 9, 0, 2},
		"one in trouble":                  {1, 0, 0, 1},
		"one in trouble, then a token":    {1, 1, 0, 3},
		"one in trouble, then two tokens": {1, 2, 0, 5},
		"one in trouble, then six tokens": {1, 6, 0, 12},
		"and then a minute":               {1, 6, time.Minute, 12},
		"and more than a minute":          {1, 6, time.Minute + 1, 2},
	} {
		var e evidence
		client := 0
		another := func() clientKey { client++; return clientKey{"ns", fmt.Sprint(client)} }
		for range tc.against {
			e.against(start, another(), false)
		}
		for range tc.tokens {
			e.token(start)
		}
		got := 0
		for e.sum < 2 {
			got++
			e.against(start.Add(tc.later), another(), false)
		}
		if got != tc.want {
			t.Errorf("%s: %d clients pause the host, want %d", name, got, tc.want)
		}
	}
}

func TestBreakerOpensAtFiveFailuresAndProbes(t *testing.T) {
	t.Parallel()
	s := warm(t, Limits{})
	fail := func(prefix string, n int) {
		t.Helper()
		for i := range n {
			s.mustGo(s.renewal(fmt.Sprintf("%s-%d", prefix, i), time.Hour)).Done(s.now, failed)
		}
	}
	late := s.mustGo(s.renewal("late", time.Hour))
	fail("a", 4)
	s.mustGo(s.renewal("saves it", time.Hour)).Done(s.now, served)
	s.run(2 * time.Minute)
	fail("b", 5)
	for i, wait := range []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second, time.Minute, time.Minute} {
		first, second := s.renewal(fmt.Sprintf("first-%d", i), time.Hour), s.renewal(fmt.Sprintf("second-%d", i), 2*time.Hour)
		s.mustWait(first, ReasonBreaker)
		s.mustWait(second, ReasonBreaker)
		if i == 0 {
			late.Done(s.now, failed) // began before: neither counts nor opens it for longer
		}
		s.run(wait - time.Millisecond)
		s.wantWoken()
		s.run(2 * time.Millisecond)
		s.wantWoken(first.Object)
		probe := s.mustGo(first)
		s.run(15 * time.Second)
		s.wantWoken()
		probe.Done(s.now, failed)
		s.gate.Forget(s.now, second.Object)
	}
	s.run(time.Minute)
	s.mustGo(s.renewal("probe", time.Hour)).Done(s.now, served)
	s.mustGo(s.renewal("closed", time.Hour))
}

// A call that began before the breaker opened closes it if it is served.
func TestBreakerClosesByAnySuccess(t *testing.T) {
	t.Parallel()
	s := warm(t, Limits{})
	late := s.mustGo(s.renewal("late", time.Hour))
	for i := range 5 {
		s.mustGo(s.renewal(fmt.Sprint(i), time.Hour)).Done(s.now, failed)
	}
	s.mustWait(s.renewal("first", time.Hour), ReasonBreaker)
	late.Done(s.now, served)
	s.mustGo(s.renewal("first", time.Hour))
}

// One client alone opens the breaker, too.
func TestBreakerOpensForASingleClient(t *testing.T) {
	t.Parallel()
	s := simulate(t, Limits{}, 1)
	s.mustGo(wish("only")).Done(s.now, served)
	for range 5 {
		s.run(time.Minute)
		s.mustGo(s.renewal("only", time.Hour)).Done(s.now, failed)
	}
	s.mustWait(s.renewal("only", time.Hour), ReasonBreaker)
}

// A renewal that has used half of its lead does not wait for the next probe.
func TestUrgentRenewalDoesNotWaitForTheNextProbe(t *testing.T) {
	t.Parallel()
	s := warm(t, Limits{})
	for i := range 5 {
		s.mustGo(s.renewal(fmt.Sprint(i), time.Hour)).Done(s.now, failed)
	}
	for _, wait := range []time.Duration{10 * time.Second, 20 * time.Second} {
		s.run(wait)
		s.mustGo(wish("probe "+wait.String())).Done(s.now, failed)
	}
	s.mustWait(s.renewal("hurries", 30*time.Second), ReasonBreaker) // the next probe is in 40 s
	s.run(14 * time.Second)
	s.wantWoken()
	s.run(time.Second)
	s.wantWoken("ns/hurries")
}

// A token that could not be had before its end has used all of its lead.
func TestExpiredTokenHasUsedAllOfItsLead(t *testing.T) {
	t.Parallel()
	s := warm(t, Limits{})
	for i := range 5 {
		s.mustGo(s.renewal(fmt.Sprint(i), time.Hour)).Done(s.now, failed)
	}
	s.mustWait(s.renewal("ended", -time.Second), ReasonBreaker) // the first probe is in 10 s
	s.run(5*time.Second - time.Millisecond)
	s.wantWoken()
	s.run(time.Millisecond)
	s.wantWoken("ns/ended")
}

// TestServedClientDoesNotWaitForUnprovenOnes: after a restart, clients that were in trouble before have opened the breaker or paused the host. One that was
// served before shows at once whether that is about the host, even while a probe hangs; if it is, the next one waits.
func TestServedClientDoesNotWaitForUnprovenOnes(t *testing.T) {
	t.Parallel()
	inTrouble := func(name string) Request {
		r := wish(name)
		r.Proven, r.Failures = true, 7
		return r
	}
	t.Run("breaker", func(t *testing.T) {
		t.Parallel()
		s := simulate(t, Limits{}, 1)
		for range 5 {
			s.mustGo(inTrouble("bad")).Done(s.now, failed)
		}
		s.mustWait(inTrouble("bad"), ReasonBreaker)
		s.run(minProbeWait)
		s.mustGo(inTrouble("bad")) // hangs
		s.mustGo(s.renewal("good", time.Hour)).Done(s.now, failed)
		s.mustWait(s.renewal("another", time.Hour), ReasonBreaker)
		s.run(maxProbeWait)
		s.mustGo(s.renewal("another", time.Hour)).Done(s.now, served)
		s.mustGo(s.renewal("good", time.Hour))
	})
	t.Run("pause", func(t *testing.T) {
		t.Parallel()
		s := simulate(t, Limits{}, 1)
		s.mustGo(inTrouble("bad")).Done(s.now, throttled)
		s.mustGo(inTrouble("worse")).Done(s.now, throttled)
		s.mustWait(inTrouble("worst"), ReasonPaused)
		s.mustGo(s.renewal("good", time.Hour)).Done(s.now, throttled)
		s.mustWait(s.renewal("another", time.Hour), ReasonPaused)
	})
}

// A probe that is throttled shows that the host is alive: what follows is a matter of pauses.
func TestThrottledProbeTurnsTheBreakerIntoAPause(t *testing.T) {
	t.Parallel()
	s := warm(t, Limits{})
	for i := range 5 {
		s.mustGo(s.renewal(fmt.Sprint(i), time.Hour)).Done(s.now, failed)
	}
	s.run(10 * time.Second)
	s.mustGo(s.renewal("probe", time.Hour)).Done(s.now, throttled)
	s.mustGo(s.renewal("next", time.Hour)).Done(s.now, throttled)
	s.mustWait(s.renewal("another", time.Hour), ReasonPaused)
}

// A clock that is set back must not prolong a pause or an open breaker by as much.
func TestClockSetBackDoesNotProlongPauses(t *testing.T) {
	t.Parallel()
	s := warm(t, Limits{})
	for i := range 5 {
		s.mustGo(s.renewal(fmt.Sprint(i), time.Hour)).Done(s.now, failed)
	}
	back := s.now.Add(-time.Hour)
	if _, delay := s.gate.Reserve(back, s.renewal("first", time.Hour)); delay == nil || delay.Reason != ReasonBreaker {
		t.Fatalf("%+v", delay)
	}
	if reservation, delay := s.gate.Reserve(back.Add(10*time.Second), s.renewal("first", time.Hour)); reservation == nil {
		t.Errorf("it waits (%s) ten seconds later", delay.Reason)
	}
}

func TestStateIsForgotten(t *testing.T) {
	t.Parallel()
	s := simulate(t, Limits{}, 1)
	for i := range 1000 {
		r := wish(fmt.Sprint(i)).of(fmt.Sprintf("ns-%d", i)).at(fmt.Sprintf("host-%d.example:443", i))
		s.mustGo(r).Done(s.now, failed)
	}
	hangs := s.mustGo(wish("hangs"))
	s.run(3 * time.Hour)
	s.now = start.Add(3 * time.Hour)
	s.mustGo(wish("other").at("other.example:443"))
	if len(s.gate.hosts) != 2 || len(s.gate.namespaces) != 1 || len(s.gate.waiters) != 0 {
		t.Errorf("%d hosts, %d namespaces and %d objects are remembered, want 2, 1 and 0", len(s.gate.hosts), len(s.gate.namespaces), len(s.gate.waiters))
	}
	hangs.Done(s.now, served)
}
