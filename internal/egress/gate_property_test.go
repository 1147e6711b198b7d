package egress

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// Random endpoints, namespaces, faults and disappearances from a seed: the caps and the rate hold at every step, and when
// the faults stop, everybody gets his turn in bounded time and nothing is remembered.
func TestGateProperties(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		s := simulate(t, Limits{}, seed)
		s.late = time.Duration(s.random.IntN(800)) * time.Millisecond
		limits := Limits{QPS: []float64{0, 1, 5, 50}[s.random.IntN(4)], HostInFlight: s.random.IntN(10), NamespaceInFlight: s.random.IntN(20)}
		s.gate = NewGate(limits)
		calm := start.Add(5 * time.Minute)
		s.call = func(*object) (time.Duration, Result) {
			if s.now.After(calm) {
				return s.jitter(300 * time.Millisecond), Result{Kind: OK}
			}
			switch s.random.IntN(8) {
			case 0:
				return 15 * time.Second, Result{Kind: Unavailable}
			case 1:
				return s.jitter(time.Second), Result{Kind: Unavailable}
			case 2:
				return s.jitter(time.Second), Result{Kind: Throttled, RetryAfter: s.jitter(2 * time.Minute), HasRetryAfter: s.random.IntN(2) == 0}
			case 3:
				return s.jitter(time.Second), Result{}
			}
			return s.jitter(time.Second), Result{Kind: OK}
		}
		served := map[*object]bool{}
		s.finished = func(o *object, r Result) {
			if r.Kind == OK {
				served[o] = true
				return
			}
			s.after(s.jitter(20*time.Second), func() { s.ask(o) })
		}
		var objects []*object
		for i := range 1 + s.random.IntN(300) {
			namespace := fmt.Sprintf("ns%d", s.random.IntN(4))
			o := &object{Ask: Ask{
				Endpoint: fmt.Sprintf("host%d.example:443", s.random.IntN(4)), Namespace: namespace, Object: fmt.Sprintf("%s/%d", namespace, i),
				Since: start.Add(-s.jitter(time.Minute)),
			}}
			if s.random.IntN(2) == 0 {
				o.Expires = start.Add(s.jitter(time.Hour))
			}
			objects = append(objects, o)
			s.after(s.jitter(5*time.Minute), func() { s.ask(o) })
			if s.random.IntN(5) == 0 {
				s.after(s.jitter(5*time.Minute), func() {
					o.gone = true
					if s.random.IntN(2) == 0 {
						s.gate.Forget(o.Object)
					}
				})
			}
		}
		s.run(5 * time.Minute)
		s.run(10 * time.Minute) // 300 objects at 1/s, a pause, a breaker

		limits = limits.withDefaults()
		for key, peak := range s.peak {
			if limit := limits.HostInFlight; key[:4] == "host" && peak > limit {
				t.Errorf("seed %d: %d in flight at %s, want at most %d", seed, peak, key, limit)
			}
			if limit := limits.NamespaceInFlight; key[:4] == "name" && peak > limit {
				t.Errorf("seed %d: %d in flight of %s, want at most %d", seed, peak, key, limit)
			}
		}
		for _, calls := range s.calls {
			wantRate(t, calls, limits.QPS, max(1, float64(int(limits.QPS))))
		}
		for _, o := range objects {
			if !o.gone && !served[o] {
				t.Errorf("seed %d: %s at %s has not been served after %d polls and %d calls", seed, o.Object, o.Endpoint, o.polls, o.calls)
			}
		}
		s.gate.Admit(s.now.Add(time.Hour), Ask{Endpoint: "x", Namespace: "x", Object: "x"})
		if len(s.gate.endpoints) != 1 || len(s.gate.namespaces) != 1 || len(s.gate.waiting) != 0 {
			t.Errorf("seed %d: %d endpoints, %d namespaces, %d objects are remembered", seed, len(s.gate.endpoints), len(s.gate.namespaces), len(s.gate.waiting))
		}
	}
}

// The queue's rankings agree with each other after any sequence of operations.
func TestQueueStaysConsistent(t *testing.T) {
	t.Parallel()
	s := simulate(t, Limits{}, 9)
	q := newQueue(whereabouts{})
	now := start
	for range 20_000 {
		now = now.Add(s.jitter(100 * time.Millisecond))
		object := fmt.Sprint(s.random.IntN(200))
		switch s.random.IntN(4) {
		case 0:
			q.remove(object)
		case 1:
			q.advance(now)
		default:
			w := &waiter{object: object, since: now.Add(-s.jitter(time.Minute)), due: now.Add(s.jitter(10 * time.Second))}
			if s.random.IntN(2) == 0 {
				w.expires = now.Add(s.jitter(time.Hour))
			}
			q.put(w)
		}
		n, near := q.len(), q.expected.urgent.len()
		if q.urgent.len() != n || q.oldest.len() != n || q.away.len()+near != n || q.expected.oldest.len() != near ||
			q.expected.returns.len() != near || len(q.waiting) != n {
			t.Fatalf("the rankings disagree: %d objects, %d urgent, %d oldest, %d away, %d near", n, q.urgent.len(), q.oldest.len(), q.away.len(), near)
		}
	}
}

func TestGateIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	g := NewGate(Limits{QPS: 1e6})
	var workers sync.WaitGroup
	for i := range 16 {
		workers.Go(func() {
			for j := range 300 {
				a := Ask{Endpoint: fmt.Sprintf("host%d", j%3), Namespace: fmt.Sprintf("ns%d", i%2), Object: fmt.Sprintf("%d/%d", i, j)}
				now := start.Add(time.Duration(j) * time.Millisecond)
				if permit, _ := g.Admit(now, a); permit != nil {
					permit.Done(now, Result{Kind: OK})
					permit.Done(now, Result{Kind: OK})
				} else {
					g.Forget(a.Object)
				}
			}
		})
	}
	workers.Wait()
	for name, e := range g.endpoints {
		if e.inFlight != 0 || e.queue.len() != 0 {
			t.Errorf("%s: %d in flight, %d waiting", name, e.inFlight, e.queue.len())
		}
	}
	for name, n := range g.namespaces {
		if n.inFlight != 0 || n.queue.len() != 0 {
			t.Errorf("%s: %d in flight, %d waiting", name, n.inFlight, n.queue.len())
		}
	}
}

// One Admit with ten thousand objects waiting.
func BenchmarkAdmit(b *testing.B) {
	g := NewGate(Limits{})
	asks := make([]Ask, 10_000)
	for i := range asks {
		asks[i] = Ask{Endpoint: host, Namespace: "ns", Object: fmt.Sprintf("ns/%d", i*7919%10_000), Since: start, Expires: start.Add(time.Duration(i*6101%10_000) * time.Second)}
		g.Admit(start, asks[i])
	}
	b.ResetTimer()
	for i := range b.N {
		g.Admit(start.Add(time.Duration(i)*time.Millisecond), asks[i*3571%10_000])
	}
}
