// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Random hosts, namespaces, faults and disappearances from a seed: the caps and the rate hold at every step, and when
// the faults stop, everyone gets his turn in bounded time and nothing is remembered.
func TestGateKeepsItsLimitsForRandomHosts(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		s := simulate(t, Limits{}, seed)
		s.late = time.Duration(1+s.random.IntN(800)) * time.Millisecond
		limits := Limits{QPS: []float64{0, 1, 5, 50}[s.random.IntN(4)], HostInFlight: s.random.IntN(10), NamespaceInFlight: s.random.IntN(20), Workers: s.random.IntN(40)}
		s.restart(limits)
		calm := start.Add(5 * time.Minute)
		s.call = func(*object) (time.Duration, Result) {
			if s.now.After(calm) {
				return s.jitter(300 * time.Millisecond), Result{Kind: Served}
			}
			switch s.random.IntN(9) {
			case 0:
				return 15 * time.Second, Result{Kind: Unavailable}
			case 1:
				return s.jitter(time.Second), Result{Kind: Unavailable}
			case 2:
				return s.jitter(time.Second), Result{Kind: Throttled, RetryAfter: s.jitter(2 * time.Minute), HasRetryAfter: s.random.IntN(2) == 0}
			case 3:
				return s.jitter(time.Second), Result{}
			case 4:
				return s.jitter(time.Second), Result{Kind: Refused}
			}
			return s.jitter(time.Second), Result{Kind: Served}
		}
		done := map[*object]bool{}
		s.finished = func(o *object, r Result) {
			if r.Kind == Served {
				done[o] = true
				return
			}
			s.after(s.jitter(20*time.Second), func() { s.ask(o) })
		}
		var objects []*object
		for i := range 1 + s.random.IntN(300) {
			o := newObject(fmt.Sprintf("ns%d", s.random.IntN(4)), i)
			o.Host = fmt.Sprintf("host%d.example:443", s.random.IntN(4))
			o.Client = fmt.Sprintf("client-%d", s.random.IntN(200))
			o.Verify, o.Planned, o.Proven = s.random.IntN(8) == 0, s.random.IntN(2) == 0, s.random.IntN(2) == 0
			if s.random.IntN(2) == 0 {
				o.Due, o.Expires = start, start.Add(s.jitter(time.Hour))
			}
			objects = append(objects, o)
			s.after(s.jitter(5*time.Minute), func() { s.ask(o) })
			if s.random.IntN(5) == 0 {
				s.after(s.jitter(5*time.Minute), func() {
					o.gone = true
					if s.random.IntN(2) == 0 {
						s.gate.Forget(s.now, o.Object)
					}
				})
			}
		}
		s.run(5 * time.Minute)
		s.run(15 * time.Minute) // 300 objects at 1/s, a pause, a breaker

		limits = limits.withDefaults()
		for key, peak := range s.peak {
			if strings.HasPrefix(key, "host") && peak > limits.HostInFlight {
				t.Errorf("seed %d: %d in flight at %s, want at most %d", seed, peak, key, limits.HostInFlight)
			}
			if most := max(1, limits.Workers*3/4+1); !strings.HasPrefix(key, "host") && peak > most {
				t.Errorf("seed %d: %d in flight of %s, want at most %d", seed, peak, key, most)
			}
		}
		for _, calls := range s.calls {
			wantRate(t, calls, limits.QPS, max(1, float64(int(limits.QPS))))
		}
		for _, o := range objects {
			if !o.gone && !done[o] {
				t.Errorf("seed %d: %s at %s has not been served after %d requests and %d calls: %v", seed, o.Object, o.Host, o.asks, o.calls, o.delays[len(o.delays)-1])
			}
		}
		s.now = s.now.Add(3 * time.Hour)
		s.mustGo(wish("x").at("x").of("x"))
		if g := s.gate; len(g.hosts) != 1 || len(g.namespaces) != 1 || len(g.waiters) != 0 || g.inFlight != 1 || g.waitingNamespaces != 0 {
			t.Errorf("seed %d: %d hosts, %d namespaces, %d objects, %d in flight, %d waiting are remembered", seed, len(g.hosts), len(g.namespaces), len(g.waiters), g.inFlight, g.waitingNamespaces)
		}
	}
}

// wantRate checks a token bucket's promise for every window: at most burst + rate × length. A place may be taken a moment after it was given.
func wantRate(t *testing.T, calls []time.Time, perSecond, burst float64) {
	t.Helper()
	if !slices.IsSortedFunc(calls, time.Time.Compare) {
		t.Fatal("calls are out of order")
	}
	slack := perSecond // as much as objects are late
	level, last := burst+slack, calls[0]
	for i, at := range calls {
		level = min(level+at.Sub(last).Seconds()*perSecond, burst+slack) - 1
		last = at
		if level < -1e-6 {
			t.Fatalf("call %d, %v after the first, exceeds the rate", i, at.Sub(calls[0]))
		}
	}
}

// Ten thousand objects become due at once, as after an outage: the rate is used, and each asks twice.
func TestGateDrainsTenThousandDueObjects(t *testing.T) {
	t.Parallel()
	s := simulate(t, Limits{}, 1)
	const size = 10_000
	asks := 0
	for i := range size {
		o := newObject(fmt.Sprintf("ns-%d", i%10), i)
		s.objects[o.Object] = o
		s.ask(o)
	}
	s.run(time.Hour)
	for _, o := range s.objects {
		if o.calls != 1 {
			t.Fatalf("%s was served %d times", o.Object, o.calls)
		}
		asks += o.asks
	}
	calls := s.calls[hostName]
	took := calls[size-1].Sub(calls[0])
	t.Logf("%v for %d calls, %.2f requests an object", took, size, float64(asks)/size)
	// After five minutes those who are left ask once more, in case that their waking was lost.
	if took > 560*time.Second || float64(asks)/size > 2.5 {
		t.Error("want nine tenths of 20 a second, and two requests an object")
	}
}

func TestGateIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	g := NewGate(Limits{QPS: 1e6})
	g.Notify(func(string) {}, func(d time.Duration, f func(time.Time)) {})
	var workers sync.WaitGroup
	for i := range 16 {
		workers.Go(func() {
			for j := range 300 {
				r := Request{Host: fmt.Sprintf("host%d", j%3), Namespace: fmt.Sprintf("ns%d", i%2), Client: fmt.Sprint(j % 7), Object: fmt.Sprintf("%d/%d", i, j)}
				now := start.Add(time.Duration(j) * time.Millisecond)
				if reservation, _ := g.Reserve(now, r); reservation != nil {
					reservation.Done(now, Result{Kind: Served})
					reservation.Done(now, Result{Kind: Served})
				} else {
					g.Forget(now, r.Object)
				}
			}
		})
	}
	workers.Wait()
	if g.inFlight != 0 || len(g.waiters) != 0 || g.waitingNamespaces != 0 {
		t.Errorf("%d in flight, %d waiting", g.inFlight, len(g.waiters))
	}
}

// One renewal with ten thousand objects waiting.
func BenchmarkReserve(b *testing.B) {
	s := simulate(b, Limits{}, 1)
	for i := range 10_000 {
		r := s.renewal(fmt.Sprint(i), time.Duration(i*6101%10_000)*time.Second)
		s.gate.Reserve(s.now, r)
	}
	for i := range b.N {
		s.gate.Reserve(s.now.Add(time.Duration(i)*time.Millisecond), s.renewal(fmt.Sprint(i*3571%10_000), time.Hour))
	}
}
