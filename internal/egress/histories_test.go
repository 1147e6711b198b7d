// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"fmt"
	"testing"
	"time"
)

// healthy adds good clients with a token each, which are renewed all over its life.
func (s *simulation) healthy(n int, life, lead time.Duration, namespaces int) (all []*object) {
	s.finished = s.lived
	for i := range n {
		o := newObject(fmt.Sprintf("good-%d", i%namespaces), i)
		o.life, o.lead = life, lead
		o.Expires = s.now.Add(lead + s.jitter(life-lead))
		s.lives(o)
		all = append(all, o)
	}
	return all
}

// unhappy adds bad clients, of one namespace each, that have no token yet.
func (s *simulation) unhappy(n int, life time.Duration) (all []*object) {
	for i := range n {
		o := newObject(fmt.Sprintf("bad-%d", i), i)
		o.life, o.lead, o.bad = life, life/4, true
		s.lives(o)
		all = append(all, o)
	}
	return all
}

// span is shorter in quick runs.
func span(d time.Duration) time.Duration {
	if testing.Short() {
		return d / 4
	}
	return d
}

func (s *simulation) wantNoneExpired(objects []*object) {
	s.t.Helper()
	least := time.Duration(1 << 62)
	for _, o := range objects {
		if o.expired > 0 || s.now.After(o.Expires) {
			s.t.Fatalf("a token of %s expired, %d times until now", o.Object, o.expired)
		}
		least = min(least, o.least)
	}
	s.t.Logf("least left %s of %s", least.Round(time.Second), objects[0].lead)
}

// answers has good clients served, and bad ones given that.
func (s *simulation) answers(took time.Duration, bad Result) {
	s.call = func(o *object) (time.Duration, Result) {
		if o.bad {
			return took, bad
		}
		return 50 * time.Millisecond, served
	}
}

func TestTwoBadClientsThrottledAtOnce(t *testing.T) {
	t.Parallel()
	s := simulate(t, Limits{}, 1)
	good := s.healthy(300, 15*time.Minute, 90*time.Second, 20)
	s.run(5 * time.Minute)
	for _, o := range good[:2] { // they were served until now
		o.bad = true
	}
	s.answers(100*time.Millisecond, throttled)
	s.after(0, func() { s.wants(good[0]); s.wants(good[1]) })
	s.run(time.Hour)
	s.wantNoneExpired(good[2:])
}

// Two 429s half an hour apart are no reason to leave a host alone.
func TestTwo429sHalfAnHourApart(t *testing.T) {
	t.Parallel()
	s := warm(t, Limits{})
	s.mustGo(s.renewal("a", time.Hour)).Done(s.now, throttled)
	s.run(30 * time.Minute)
	s.mustGo(s.renewal("b", time.Hour)).Done(s.now, throttled)
	s.mustGo(s.renewal("c", time.Hour))
}

// Calls that were in flight when a host began to throttle everyone are answered with tokens. They do not have it asked again.
func TestCallsInFlightWhenThrottlingStarts(t *testing.T) {
	t.Parallel()
	s := simulate(t, Limits{}, 1)
	good := s.healthy(300, 15*time.Minute, 225*time.Second, 20)
	begin := s.now.Add(10 * time.Minute)
	s.call = func(*object) (time.Duration, Result) {
		if s.now.Before(begin) {
			return 5 * time.Second, served
		}
		return 50 * time.Millisecond, throttled
	}
	s.run(20 * time.Minute)
	if n := s.within(hostName, begin, time.Minute); n > 3 {
		t.Errorf("it was asked %d times in the minute after it began to throttle, want at most 3", n)
	}
	_ = good
}

// TestThrottledHostIsLeftAlone: a host that throttles everyone is asked at most three times in any minute of its Retry-After, but for the calls
// that were in flight at the first 429.
func TestThrottledHostIsLeftAlone(t *testing.T) {
	t.Parallel()
	for _, retryAfter := range []time.Duration{time.Minute, time.Hour} {
		for _, known := range []bool{true, false} {
			for _, clients := range []int{1, 5, 20, 300} {
				for _, took := range []time.Duration{10 * time.Millisecond, time.Second, 14 * time.Second} {
					s := simulate(t, Limits{}, 7)
					begin := s.now.Add(20 * time.Minute)
					s.call = func(*object) (time.Duration, Result) {
						if known && s.now.Before(begin) {
							return 50 * time.Millisecond, served
						}
						return took, Result{Kind: Throttled, RetryAfter: retryAfter, HasRetryAfter: true}
					}
					if known {
						s.healthy(clients, 15*time.Minute, 225*time.Second, 20)
					} else {
						s.finished = s.lived
						begin = s.now
						s.unhappy(clients, 15*time.Minute)
					}
					s.run(2 * time.Hour)
					first := time.Time{} // 429
					for _, at := range s.calls[hostName] {
						if first.IsZero() && !at.Before(begin) {
							first = at.Add(took)
						}
					}
					worst := 0
					for _, at := range s.calls[hostName] {
						if at.After(first) {
							worst = max(worst, s.within(hostName, at, time.Minute))
						}
					}
					if worst > 3 {
						t.Errorf("Retry-After %s, known %v, %d clients, calls of %s: asked %d times in a minute", retryAfter, known, clients, took, worst)
					}
				}
			}
		}
	}
}

// TestDeadHostIsProbed: one call at a time, at least five seconds apart.
func TestDeadHostIsProbed(t *testing.T) {
	t.Parallel()
	for _, clients := range []int{1, 5, 20, 300} {
		for _, took := range []time.Duration{10 * time.Millisecond, 15 * time.Second} {
			for _, bad := range []int{0, 100} {
				s := simulate(t, Limits{}, 3)
				good := s.healthy(clients, 15*time.Minute, 225*time.Second, 20)
				s.unhappy(bad, 15*time.Minute)
				s.answers(took, failed)
				s.run(20 * time.Minute)
				s.call = func(*object) (time.Duration, Result) { return took, failed }
				s.run(15 * time.Minute) // until enough have noticed
				begin := s.now
				s.peak = map[string]int{}
				s.run(45 * time.Minute)
				var last time.Time
				for _, at := range s.calls[hostName] {
					if at.Before(begin) {
						continue
					}
					if gap := at.Sub(last); !last.IsZero() && gap < took+urgentProbeWait {
						t.Fatalf("%d clients, %d bad, calls of %s: two calls %s apart", clients, bad, took, gap)
					}
					last = at
				}
				if peak := s.peak[hostName]; peak > 1 {
					t.Errorf("%d clients, %d bad: %d calls at a time", clients, bad, peak)
				}
				s.answers(took, failed)
				s.run(10 * time.Minute) // five are the longest pause between two tries
				for _, o := range good {
					if s.now.After(o.Expires) {
						t.Fatalf("%d clients, %d bad: %s has no token ten minutes after the end", clients, bad, o.Object)
					}
				}
			}
		}
	}
}

// Short tokens behind a breaker that was opened by failures of others.
func TestShortTokensBehindAnOpenBreaker(t *testing.T) {
	t.Parallel()
	s := simulate(t, Limits{}, 1)
	good := s.healthy(20, 4*time.Minute, 90*time.Second, 5)
	s.unhappy(20, time.Hour)
	s.answers(15*time.Second, failed)
	for range 20 {
		s.run(3 * time.Minute)
		outage := s.now.Add(20 * time.Second)
		s.call = func(o *object) (time.Duration, Result) {
			if o.bad || s.now.Before(outage) {
				return 15 * time.Second, failed
			}
			return 50 * time.Millisecond, served
		}
	}
	s.wantNoneExpired(good)
}

// One stray 503 before six thousand new objects: they are not slower for it.
func TestOneStray503BeforeManyNewObjects(t *testing.T) {
	t.Parallel()
	s := simulate(t, Limits{}, 1)
	calls := 0
	s.call = func(*object) (time.Duration, Result) {
		if calls++; calls == 1 {
			return 50 * time.Millisecond, failed
		}
		return 50 * time.Millisecond, served
	}
	done := 0
	s.finished = func(o *object, r Result) {
		if r.Kind == Served {
			done++
		}
	}
	for i := range 6000 {
		s.ask(newObject(fmt.Sprintf("ns-%d", i%10), i))
	}
	s.run(6000/18*time.Second + 5*time.Second)
	if done != 5999 {
		t.Errorf("%d of 5999 were served", done)
	}
}

// A hundred namespaces that request refreshes for ever.
func TestEndlessRefreshRequestsExpireNoToken(t *testing.T) {
	t.Parallel()
	s := simulate(t, Limits{}, 1)
	good := s.healthy(300, 15*time.Minute, 90*time.Second, 20)
	for i := range 100 {
		for j := range 5 {
			o := newObject(fmt.Sprintf("greedy-%d", i), 1000+10*i+j)
			o.life, o.lead, o.Requested = time.Hour, time.Minute, true
			s.ask(o)
		}
	}
	s.finished = func(o *object, r Result) {
		if o.Requested {
			s.after(10*time.Second, func() { s.ask(o) })
			return
		}
		s.lived(o, r)
	}
	s.run(span(time.Hour))
	s.wantNoneExpired(good)
	for _, o := range good {
		if late := o.lead - o.least; late > 2*time.Second {
			t.Fatalf("a renewal of %s was late by %s", o.Object, late)
		}
	}
}

// Five hundred bad namespaces at one probe: a proven client's renewal comes before them all.
func TestManyBadNamespacesAtOneProbe(t *testing.T) {
	t.Parallel()
	for _, took := range []time.Duration{50 * time.Millisecond, 15 * time.Second} {
		s := simulate(t, Limits{}, 1)
		good := s.healthy(5, 15*time.Minute, 90*time.Second, 5)
		s.unhappy(500, 15*time.Minute)
		s.answers(took, failed)
		s.run(15 * time.Minute)
		l := s.gate.hosts[hostName].tokens
		for _, c := range l.clients {
			l.failed(s.now, c, false)
		}
		if !l.breaker.open {
			t.Fatal("the breaker is not open")
		}
		s.run(time.Hour)
		s.wantNoneExpired(good)
	}
}

// Hostile namespaces with hundreds of objects each do not delay honest renewals (A5).
func TestHostileNamespacesDelayNoRenewal(t *testing.T) {
	t.Parallel()
	for _, each := range []int{250, 500} {
		for _, own := range []bool{false, true} { // hosts of their own, each of which hangs
			if testing.Short() && (own || each > 250) {
				continue
			}
			s := simulate(t, Limits{}, 1)
			good := s.healthy(100, time.Hour, 15*time.Minute, 20)
			s.answers(15*time.Second, failed)
			for i := range 4 {
				for j := range each {
					o := newObject(fmt.Sprintf("hostile-%d", i), j)
					o.life, o.lead, o.bad = time.Hour, 15*time.Minute, true
					if own {
						o.Host = fmt.Sprintf("hangs-%d-%d.example:443", i, j)
					}
					s.after(s.jitter(10*time.Minute), func() { s.lives(o) })
				}
			}
			s.run(span(2 * time.Hour))
			s.wantNoneExpired(good)
			for _, o := range good {
				if late := o.lead - o.least; late > 30*time.Second {
					t.Fatalf("%d objects each, hosts of their own %v: a renewal of %s was late by %s", each, own, o.Object, late)
				}
			}
		}
	}
}

// One namespace whose calls hang, at token endpoints and APIs, leaves half of the workers to others (A6).
func TestOneNamespaceDoesNotHoldAllWorkers(t *testing.T) {
	t.Parallel()
	s := simulate(t, Limits{}, 1)
	s.answers(15*time.Second, failed)
	for i := range 200 {
		o := newObject("hostile", i)
		o.Host, o.bad, o.Verify = fmt.Sprintf("hangs-%d.example:443", i), true, i%2 == 0
		s.finished = func(o *object, _ Result) { s.ask(o) }
		s.ask(o)
	}
	s.run(10 * time.Minute)
	if peak := s.peak["namespace hostile"]; peak > 16 {
		t.Errorf("%d calls of one namespace at a time, want at most 16 of 32 workers", peak)
	}
}

// A restart forgets nothing: what clients have shown is in their status.
func TestRestartKeepsWhatClientsHaveShown(t *testing.T) {
	t.Parallel()
	for _, trouble := range troubles {
		s := simulate(t, Limits{}, 1)
		good := s.healthy(100, 15*time.Minute, 90*time.Second, 20)
		s.unhappy(100, 15*time.Minute)
		s.answers(trouble.took, trouble.result)
		for range 30 {
			s.run(2 * time.Minute)
			s.restart(Limits{})
			for _, o := range s.objects {
				if o.waiting {
					s.after(s.jitter(time.Second), func() { s.ask(o) })
				}
			}
		}
		s.wantNoneExpired(good)
	}
}
