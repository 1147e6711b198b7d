package egress

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// Ten thousand objects become due at once, as after an outage: the rate is used, and nobody asks often.
func TestDrain(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		objects  int
		took     time.Duration
		late     time.Duration
		arriving time.Duration // over which the objects arrive
		held     float64       // the part that holds a token
		polls    float64       // of an object, on average
	}{
		{"all at once", 10_000, 50 * time.Millisecond, 20 * time.Millisecond, 0, 0, 4},
		{"half with tokens", 4000, 200 * time.Millisecond, 20 * time.Millisecond, time.Second, 0.5, 5.5},
		{"a slow controller", 2000, 50 * time.Millisecond, 500 * time.Millisecond, 5 * time.Second, 0.5, 5.5},
		{"a punctual one", 2000, 50 * time.Millisecond, 0, 0, 0.5, 4},
		{"all with tokens", 2000, 50 * time.Millisecond, 20 * time.Millisecond, 0, 1, 5},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := simulate(t, Limits{NamespaceInFlight: 1000}, 1)
			s.late = tc.late
			s.call = func(*object) (time.Duration, Result) { return tc.took, Result{Kind: OK} }
			var objects []*object
			for i := range tc.objects {
				o := &object{Ask: Ask{Endpoint: "auth.example:443", Namespace: "ns", Object: fmt.Sprintf("ns/o%05d", i), Since: start}}
				if s.random.Float64() < tc.held {
					o.Expires = start.Add(time.Hour + s.jitter(time.Hour))
				}
				objects = append(objects, o)
			}
			s.random.Shuffle(len(objects), func(i, j int) { objects[i], objects[j] = objects[j], objects[i] })
			for i, o := range objects {
				s.after(tc.arriving*time.Duration(i)/time.Duration(tc.objects), func() { s.ask(o) })
			}
			s.run(time.Hour)

			polls, most := 0, 0
			for _, o := range objects {
				if o.calls != 1 {
					t.Fatalf("%s was admitted %d times", o.Object, o.calls)
				}
				polls += o.polls
				most = max(most, o.polls)
			}
			calls := s.calls["auth.example:443"]
			took := calls[len(calls)-1].Sub(calls[0])
			utilisation := float64(tc.objects-20) / 20 / took.Seconds()
			average := float64(polls) / float64(tc.objects)
			t.Logf("%v for %d calls at 20/s: utilisation %.3f, %.2f polls per object on average, %d at most", took, tc.objects, utilisation, average, most)
			if utilisation < 0.9 || average > tc.polls || most > 30 {
				t.Errorf("want utilisation of at least 0.9, and polls of at most %v on average and 30 for one", tc.polls)
			}
			wantRate(t, calls, 20, 20)
		})
	}
}

// wantRate checks a token bucket's promise for every window: at most burst + rate × length.
func wantRate(t *testing.T, calls []time.Time, perSecond, burst float64) {
	t.Helper()
	if !slices.IsSortedFunc(calls, time.Time.Compare) {
		t.Fatal("calls are out of order")
	}
	level, last := burst, calls[0]
	for i, at := range calls {
		level = min(level+at.Sub(last).Seconds()*perSecond, burst) - 1
		last = at
		if level < -1e-6 {
			t.Fatalf("call %d, %v after the first, exceeds the rate", i, at.Sub(calls[0]))
		}
	}
}
