package simulation

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cdpcredentials/cdp-credential-operator/controllers"
)

var (
	seeds = flag.Uint64("simulation.seeds", 300, "how many worlds to simulate")
	first = flag.Uint64("simulation.first", 1, "the first of their seeds")
	only  = flag.Uint64("simulation.seed", 0, "simulate this one world and tell its story")
)

// metrics are shared by all worlds: they decide nothing.
var metrics *controllers.Metrics

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(2000) // a world is a few megabytes, and is thrown away as a whole
		debug.SetMemoryLimit(512 << 20)
	}
	var err error
	if metrics, err = controllers.NewMetrics(prometheus.NewRegistry()); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// live runs the world of a seed from its beginning to its end.
func live(seed uint64, wires *wiring, story func(string)) (*world, *violation) {
	w := newWorld(seed, wires)
	w.story = story
	broken := w.watched(func() {
		p := w.profile()
		w.furnish(p)
		w.tell("%d objects, tokens for %s, something happens every %s, of %d actions and %d faults; clock off by %s", p.objects, p.lifetime, p.pace, len(p.actions), len(p.faults), w.offset)
		for _, o := range w.judge.objects {
			kind := pick(w, providers)
			w.tell("USER applies %s in %s, %s", o.name.Name, o.name.Namespace, kind)
			o.apply(kind)
		}
		w.startReplica(0)
		w.makeChaos(p)
		w.calm()
		for _, o := range w.judge.objects {
			w.repair(o, w.maybe(0.7))
		}
		w.converge(75 * time.Minute)
		w.stayQuiet(min(max(2*p.lifetime, 20*time.Minute), 26*time.Hour))
	})
	return w, broken
}

func TestSeeds(t *testing.T) {
	if *only != 0 {
		_, broken := live(*only, newWiring(t), func(line string) { fmt.Println(line) })
		if broken != nil {
			t.Error(broken)
		}
		return
	}
	var next, failed, days, passes atomic.Int64
	total := newJudge(nil).stats
	var mu sync.Mutex
	began := time.Now()
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wires := newWiring(t)
		all.Go(func() {
			for failed.Load() < 3 {
				n := uint64(next.Add(1) - 1)
				if n >= *seeds {
					return
				}
				w, broken := live(*first+n, wires, nil)
				days.Add(int64(w.now / time.Second))
				passes.Add(int64(w.passes))
				mu.Lock()
				total.add(w.judge.stats)
				mu.Unlock()
				if broken != nil {
					failed.Add(1)
					t.Errorf("seed %d: %v\nrun it again with: go test ./test/simulation -run TestSeeds -simulation.seed=%d", w.seed, broken, w.seed)
				}
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	simulated := float64(days.Load()) / 86400
	t.Logf("%d seeds, %.0f simulated days in %s: %.0f days a minute; %d passes", min(uint64(next.Load()), *seeds), simulated, took.Round(time.Millisecond), simulated/took.Minutes(), passes.Load())
	t.Logf("%+v", total)
}

func (s *stats) add(other stats) {
	s.exchanges += other.exchanges
	s.updates += other.updates
	s.issued += other.issued
	s.published += other.published
	s.lost += other.lost
	s.killed += other.killed
	s.stale += other.stale
	s.deposed += other.deposed
	for cause, n := range other.causes {
		s.causes[cause] += n
	}
}
