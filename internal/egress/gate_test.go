package egress

import (
	"fmt"
	"testing"
	"time"
)

const host = "auth.example:443"

func ask(object string) Ask {
	return Ask{Endpoint: host, Namespace: "ns", Object: "ns/" + object, Since: start}
}

func mustAdmit(t *testing.T, g *Gate, now time.Time, a Ask) *Permit {
	t.Helper()
	permit, wait := g.Admit(now, a)
	if permit == nil {
		t.Fatalf("%s must wait for %v (%s) at +%v", a.Object, wait.For, wait.Reason, now.Sub(start))
	}
	return permit
}

func mustWait(t *testing.T, g *Gate, now time.Time, a Ask, reason string) time.Duration {
	t.Helper()
	permit, wait := g.Admit(now, a)
	if permit != nil {
		t.Fatalf("%s was admitted at +%v, want a wait (%s)", a.Object, now.Sub(start), reason)
	}
	if wait.Reason != reason || wait.For <= 0 {
		t.Fatalf("%s must wait for %v (%s) at +%v, want %s", a.Object, wait.For, wait.Reason, now.Sub(start), reason)
	}
	return wait.For
}

// warm returns a gate whose endpoint has answered often enough to be known.
func warm(t *testing.T, limits Limits) *Gate {
	t.Helper()
	g := NewGate(limits)
	for i := range 3 {
		mustAdmit(t, g, start, ask(fmt.Sprintf("warm%d", i))).Done(start, Result{Kind: OK})
	}
	return g
}

func TestDefaultsAndHostCap(t *testing.T) {
	t.Parallel()
	g := warm(t, Limits{})
	var permits []*Permit
	for i := range 8 {
		permits = append(permits, mustAdmit(t, g, start, ask(fmt.Sprint(i))))
	}
	mustWait(t, g, start, ask("ninth"), "host-in-flight")
	permits[0].Done(start, Result{Kind: OK})
	permits[0].Done(start, Result{Kind: OK}) // counts once
	mustAdmit(t, g, start, ask("ninth"))
	mustWait(t, g, start, ask("tenth"), "host-in-flight")
}

func TestRate(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		qps   float64
		burst int
		first time.Duration // of the first that is refused
	}{
		{0, 20, 50 * time.Millisecond}, {5, 5, 200 * time.Millisecond}, {1, 1, time.Second}, {0.1, 1, 10 * time.Second}, {1.9, 1, 526 * time.Millisecond},
	} {
		g, admitted := NewGate(Limits{QPS: tc.qps}), 0
		for admitted < 100 {
			permit, wait := g.Admit(start, ask(fmt.Sprint(admitted)))
			if permit == nil {
				if wait.Reason != "rate" || wait.For < tc.first || wait.For > 2*tc.first+250*time.Millisecond {
					t.Errorf("qps %v: wait %v (%s), want about %v for the rate", tc.qps, wait.For, wait.Reason, tc.first)
				}
				mustAdmit(t, g, start.Add(wait.For), ask(fmt.Sprint(admitted))).Done(start, Result{Kind: OK})
				break
			}
			permit.Done(start, Result{Kind: OK})
			admitted++
		}
		if admitted != tc.burst {
			t.Errorf("qps %v: %d at once, want %d", tc.qps, admitted, tc.burst)
		}
	}
}

func TestNamespaceCap(t *testing.T) {
	t.Parallel()
	g := NewGate(Limits{StrangersInFlight: 1000})
	at := func(i int, namespace string) Ask {
		return Ask{Endpoint: fmt.Sprintf("host%d.example:443", i), Namespace: namespace, Object: fmt.Sprintf("%s/%d", namespace, i), Since: start}
	}
	first := mustAdmit(t, g, start, at(0, "a"))
	for i := 1; i < 16; i++ {
		mustAdmit(t, g, start, at(i, "a"))
	}
	mustWait(t, g, start, at(16, "a"), "namespace-in-flight")
	mustAdmit(t, g, start, at(16, "b")) // the one who waits for his namespace holds nobody back at the endpoint
	first.Done(start, Result{Kind: OK})
	mustAdmit(t, g, start, at(16, "a"))
	mustWait(t, g, start, at(17, "a"), "namespace-in-flight")
}

// The objects of a namespace that has no room left, however urgent, do not keep others from an endpoint.
func TestNamespaceQueueHoldsOthersNotBack(t *testing.T) {
	t.Parallel()
	g := NewGate(Limits{QPS: 100, NamespaceInFlight: 2})
	for i := range 2 {
		mustAdmit(t, g, start, Ask{Endpoint: fmt.Sprintf("hangs%d.example:443", i), Namespace: "a", Object: fmt.Sprintf("a/hangs%d", i)})
	}
	for i := range 50 {
		a := Ask{Endpoint: host, Namespace: "a", Object: fmt.Sprintf("a/%d", i), Expires: start.Add(time.Minute), Since: start.Add(-time.Hour)}
		mustWait(t, g, start, a, "namespace-in-flight")
	}
	for i := range 2 {
		mustAdmit(t, g, start, Ask{Endpoint: host, Namespace: fmt.Sprintf("b%d", i), Object: fmt.Sprintf("b/%d", i), Since: start})
	}
}

func TestSlowStart(t *testing.T) {
	t.Parallel()
	g := NewGate(Limits{QPS: 1000, NamespaceInFlight: 1000})
	serial := 0
	width := func(now time.Time) (permits []*Permit) {
		for {
			serial++
			a := ask(fmt.Sprint(serial))
			permit, wait := g.Admit(now, a)
			if permit == nil {
				if wait.Reason != "host-in-flight" {
					t.Fatalf("reason %s", wait.Reason)
				}
				g.Forget(a.Object)
				return permits
			}
			permits = append(permits, permit)
		}
	}
	end := func(permits []*Permit, now time.Time, kind ResultKind) {
		for _, p := range permits {
			p.Done(now, Result{Kind: kind})
		}
	}
	now := start
	steps := []struct {
		later   time.Duration // since the last step
		want    int
		results []ResultKind // of the first calls; the others are cancelled
	}{
		{0, 2, []ResultKind{Cancelled, Cancelled}}, // a stranger; cancelled calls teach nothing
		{time.Second, 2, []ResultKind{OK}},
		{time.Second, 4, []ResultKind{OK}},
		{time.Second, 8, []ResultKind{OK, OK, OK}},
		{time.Second, 8, []ResultKind{Unavailable}},
		{time.Second, 4, []ResultKind{Unavailable}},
		{time.Second, 2, []ResultKind{Unavailable}},
		{time.Second, 2, []ResultKind{OK, OK}},
		{time.Second, 8, nil},
		{59 * time.Second, 8, nil},
		{time.Second, 2, nil}, // over a minute after the last success: a stranger again
	}
	for i, step := range steps {
		now = now.Add(step.later)
		permits := width(now)
		if len(permits) != step.want {
			t.Fatalf("step %d: %d in flight, want %d", i, len(permits), step.want)
		}
		for j, kind := range step.results {
			end(permits[j:j+1], now, kind)
		}
		end(permits, now, Cancelled)
	}
}

func TestPauseAfter429(t *testing.T) {
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
			g := warm(t, Limits{})
			inFlight := mustAdmit(t, g, start, ask("other"))
			mustAdmit(t, g, start, ask("throttled")).Done(start, tc.result)
			if got := mustWait(t, g, start, ask("first"), "paused"); got != tc.want {
				t.Errorf("the first waits for %v, want %v", got, tc.want)
			}
			if got := mustWait(t, g, start, ask("second"), "paused"); got != tc.want+50*time.Millisecond {
				t.Errorf("the second waits for %v, want %v", got, tc.want+50*time.Millisecond)
			}
			inFlight.Done(start, Result{Kind: OK}) // it began before the pause and does not end it
			mustWait(t, g, start.Add(tc.want-time.Millisecond), ask("third"), "paused")
			g.Forget("ns/third")

			after := start.Add(tc.want)
			probe := mustAdmit(t, g, after, ask("first"))
			mustWait(t, g, after, ask("second"), "host-in-flight") // one at a time
			probe.Done(after, Result{Kind: Cancelled})
			probe = mustAdmit(t, g, after, ask("second"))
			mustWait(t, g, after, ask("third"), "host-in-flight")
			probe.Done(after, Result{Kind: Unavailable})
			probe = mustAdmit(t, g, after, ask("third"))
			mustWait(t, g, after, ask("fourth"), "host-in-flight")
			probe.Done(after, Result{Kind: OK})
			mustAdmit(t, g, after, ask("fourth"))
			mustAdmit(t, g, after, ask("fifth"))
		})
	}
}

// A hundred objects meet an endpoint that answers each call with 429 and Retry-After 60.
func TestThrottledEndpointIsLeftAlone(t *testing.T) {
	t.Parallel()
	for _, known := range []bool{false, true} {
		for _, took := range []time.Duration{0, 10 * time.Millisecond, time.Second, 14 * time.Second} {
			s := simulate(t, Limits{NamespaceInFlight: 100}, 7)
			if known { // it answered well a while ago
				s.gate = warm(t, Limits{NamespaceInFlight: 100})
				s.now = s.now.Add(2 * time.Minute)
			}
			begin := s.now
			s.call = func(*object) (time.Duration, Result) {
				return took, Result{Kind: Throttled, RetryAfter: time.Minute, HasRetryAfter: true}
			}
			s.finished = func(o *object, _ Result) { s.after(time.Minute, func() { s.ask(o) }) } // the object's own pacing
			for i := range 100 {
				s.ask(&object{Ask: ask(fmt.Sprint(i))})
			}
			s.run(10 * time.Minute)
			within := func(d time.Duration) (n int) {
				for _, at := range s.calls[host] {
					if at.Sub(begin) < d {
						n++
					}
				}
				return n
			}
			if got := within(time.Minute); got < 1 || got > 3 {
				t.Errorf("known %v, calls of %v: %d requests in the first minute, want 1 to 3", known, took, got)
			}
			if got := within(10 * time.Minute); got < 7 || got > 12 {
				t.Errorf("known %v, calls of %v: %d requests in ten minutes, want one a minute", known, took, got)
			}
		}
	}
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	g := warm(t, Limits{})
	fail := func(now time.Time, object string) {
		t.Helper()
		mustAdmit(t, g, now, ask(object)).Done(now, Result{Kind: Unavailable})
	}
	now := start
	late := mustAdmit(t, g, now, ask("late"))
	for i := range 4 {
		fail(now, fmt.Sprint(i))
	}
	mustAdmit(t, g, now, ask("saves it")).Done(now, Result{Kind: OK})
	for i := range 5 {
		fail(now, fmt.Sprint(i))
	}
	for i, open := range []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second, time.Minute, time.Minute} {
		if got := mustWait(t, g, now, ask("first"), "breaker"); got != open {
			t.Fatalf("opening %d: the first waits for %v, want %v", i, got, open)
		}
		late.Done(now, Result{Kind: Unavailable}) // began before: neither counts nor opens it for longer
		mustWait(t, g, now.Add(open-time.Millisecond), ask("second"), "breaker")
		g.Forget("ns/second")
		now = now.Add(open)
		if i == 2 {
			mustAdmit(t, g, now, ask("first")).Done(now, Result{Kind: Cancelled}) // teaches nothing: the next may try
		}
		probe := mustAdmit(t, g, now, ask("first"))
		mustWait(t, g, now, ask("second"), "breaker")
		g.Forget("ns/second")
		probe.Done(now, Result{Kind: Unavailable})
	}
	now = now.Add(time.Minute)
	mustAdmit(t, g, now, ask("first")).Done(now, Result{Kind: OK})
	for i := range 4 {
		fail(now, fmt.Sprint(i))
	}
	mustAdmit(t, g, now, ask("closed"))
}

func TestBreakerAndThrottle(t *testing.T) {
	t.Parallel()
	g := warm(t, Limits{})
	for i := range 5 {
		mustAdmit(t, g, start, ask(fmt.Sprint(i))).Done(start, Result{Kind: Unavailable})
	}
	now := start.Add(10 * time.Second)
	mustAdmit(t, g, now, ask("probe")).Done(now, Result{Kind: Throttled, RetryAfter: 5 * time.Second, HasRetryAfter: true})
	mustWait(t, g, now, ask("first"), "paused") // the endpoint is alive
	mustAdmit(t, g, now.Add(5*time.Second), ask("first")).Done(now, Result{Kind: OK})
	mustAdmit(t, g, now.Add(5*time.Second), ask("second"))
}

// A success of a call that began before the breaker opened closes it.
func TestBreakerClosesByAnySuccess(t *testing.T) {
	t.Parallel()
	g := warm(t, Limits{})
	late := mustAdmit(t, g, start, ask("late"))
	for i := range 5 {
		mustAdmit(t, g, start, ask(fmt.Sprint(i))).Done(start, Result{Kind: Unavailable})
	}
	mustWait(t, g, start, ask("first"), "breaker")
	late.Done(start, Result{Kind: OK})
	mustAdmit(t, g, start, ask("first"))
}

// The probe of a breaker that was closed meanwhile is no probe of the one that opened since.
func TestProbeOfAnEarlierBreaker(t *testing.T) {
	t.Parallel()
	g := warm(t, Limits{})
	fail := func(now time.Time) {
		t.Helper()
		for i := range 5 {
			mustAdmit(t, g, now, ask(fmt.Sprint(i))).Done(now, Result{Kind: Unavailable})
		}
	}
	late := mustAdmit(t, g, start, ask("late"))
	fail(start)
	now := start.Add(10 * time.Second)
	old := mustAdmit(t, g, now, ask("old"))
	late.Done(now, Result{Kind: OK})
	fail(now)
	now = now.Add(10 * time.Second)
	mustAdmit(t, g, now, ask("probe"))
	old.Done(now, Result{Kind: Unavailable})
	if got := mustWait(t, g, now, ask("second"), "breaker"); got != time.Second { // the probe's end may come at any time
		t.Errorf("waits for %v, want a second", got)
	}
}

func TestEarliestExpiryGoesFirst(t *testing.T) {
	t.Parallel()
	g := warm(t, Limits{QPS: 4}) // three of the four tokens are spent
	mustAdmit(t, g, start, ask("fourth")).Done(start, Result{Kind: OK})
	held := func(name string, left time.Duration) Ask {
		a := ask(name)
		a.Expires = start.Add(left)
		return a
	}
	for _, a := range []Ask{ask("none"), held("hour", time.Hour), held("minute", time.Minute), held("dead", -time.Minute)} {
		mustWait(t, g, start, a, "rate")
	}
	now := start.Add(251 * time.Millisecond) // room for one
	mustWait(t, g, now, ask("none"), "rate")
	mustWait(t, g, now, held("hour", time.Hour), "rate")
	mustWait(t, g, now, held("minute", time.Minute), "rate")
	mustAdmit(t, g, now, held("dead", -time.Minute))
	now = now.Add(500 * time.Millisecond) // for two
	mustWait(t, g, now, ask("none"), "rate")
	mustAdmit(t, g, now, held("hour", time.Hour))
	mustAdmit(t, g, now, held("minute", time.Minute))
	mustAdmit(t, g, now.Add(250*time.Millisecond), ask("none"))
}

// Those who were told to come back and do not hold nobody back for long, and not at all once they are forgotten.
func TestVanished(t *testing.T) {
	t.Parallel()
	for name, forget := range map[string]bool{"overdue": false, "forgotten": true} {
		g := NewGate(Limits{QPS: 1})
		mustAdmit(t, g, start, ask("spends the token")).Done(start, Result{Kind: OK})
		for i := range 5 {
			a := ask(fmt.Sprint(i))
			a.Expires = start.Add(time.Hour)
			mustWait(t, g, start, a, "rate")
		}
		mustWait(t, g, start, ask("stays"), "rate")
		now := start.Add(1100 * time.Millisecond)
		if forget {
			for i := range 5 {
				g.Forget(fmt.Sprintf("ns/%d", i))
			}
		} else {
			mustWait(t, g, now, ask("stays"), "rate")
			now = start.Add(10 * time.Second)
		}
		mustAdmit(t, g, now, ask("stays"))
		if len(g.waiting) != 0 {
			t.Errorf("%s: %d are still remembered", name, len(g.waiting))
		}
	}
}

// A clock that is set back must not prolong a pause or an open breaker by as much.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	g := warm(t, Limits{})
	mustAdmit(t, g, start, ask("throttled")).Done(start, Result{Kind: Throttled, RetryAfter: time.Minute, HasRetryAfter: true})
	back := start.Add(-time.Hour)
	if got := mustWait(t, g, back, ask("first"), "paused"); got > time.Minute {
		t.Errorf("waits for %v, want a minute at most", got)
	}
	probe := mustAdmit(t, g, back.Add(time.Minute), ask("first"))
	probe.Done(back, Result{Kind: OK})
	for i := range 5 {
		mustAdmit(t, g, back.Add(time.Minute), ask(fmt.Sprint(i))).Done(back, Result{Kind: Unavailable})
	}
	further := back.Add(-time.Hour)
	if got := mustWait(t, g, further, ask("first"), "breaker"); got > time.Minute {
		t.Errorf("waits for %v, want a minute at most", got)
	}
	mustAdmit(t, g, further.Add(time.Minute), ask("first"))
}

func TestStateIsForgotten(t *testing.T) {
	t.Parallel()
	g := NewGate(Limits{StrangersInFlight: 10_000})
	for i := range 1000 {
		a := Ask{Endpoint: fmt.Sprintf("host%d.example:443", i), Namespace: fmt.Sprintf("ns%d", i), Object: fmt.Sprintf("ns%d/o", i), Since: start}
		permit := mustAdmit(t, g, start, a)
		for range 5 {
			a.Object += "x"
			g.Admit(start, a)
		}
		permit.Done(start, Result{Kind: Unavailable})
	}
	hangs := mustAdmit(t, g, start.Add(11*time.Minute), ask("hangs"))
	mustAdmit(t, g, start.Add(30*time.Minute), Ask{Endpoint: "other.example:443", Namespace: "other", Object: "other/o"})
	// In flight: hangs, other, and the second call that each of the thousand strangers was allowed and that has not ended.
	if len(g.waiting) != 0 {
		t.Errorf("%d objects are remembered", len(g.waiting))
	}
	if len(g.endpoints) != 1002 {
		t.Errorf("%d endpoints, want 1002: those with a call in flight stay", len(g.endpoints))
	}
	hangs.Done(start.Add(30*time.Minute), Result{Kind: OK})

	g = NewGate(Limits{})
	for i := range 1000 {
		mustAdmit(t, g, start, Ask{Endpoint: fmt.Sprintf("host%d.example:443", i), Namespace: fmt.Sprintf("ns%d", i), Object: "o"}).Done(start, Result{Kind: Unavailable})
	}
	mustAdmit(t, g, start.Add(11*time.Minute), ask("later"))
	if len(g.endpoints) != 1 || len(g.namespaces) != 1 {
		t.Errorf("%d endpoints and %d namespaces are remembered, want 1 and 1", len(g.endpoints), len(g.namespaces))
	}
}
