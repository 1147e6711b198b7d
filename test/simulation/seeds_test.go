// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cdpcredentials/cdp-credential-operator/internal/telemetry"
)

var (
	seeds = flag.Uint64("simulation.seeds", 300, "number of worlds to simulate")
	first = flag.Uint64("simulation.first", 1, "first seed")
	only  = flag.Uint64("simulation.seed", 0, "simulate this one world and print what happens")
	kept  = flag.String("simulation.keep", "", "with -simulation.seed: only this part of the world, as printed with a shrunk violation: objects/flips/events")

	named   = flag.String("simulation.flip", "", "flip only these assumptions, comma-separated")
	pending = flag.Bool("simulation.pending", false, "also flip assumptions that the operator cannot cope with yet")
	shrinks = flag.Int("simulation.shrink", 150, "maximum number of runs to find a smaller world that breaks the same promise")
)

// metrics are shared by all worlds: nothing depends on them.
var metrics *telemetry.Metrics

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(2000) // a world is a few megabytes and is discarded as a whole
		debug.SetMemoryLimit(512 << 20)
	}
	var err error
	if metrics, err = telemetry.New(prometheus.NewRegistry()); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// live runs the world of a plan from beginning to end.
func live(p *plan, wires *wiring, story func(string)) (*world, *violation) {
	w := newWorld(p.seed, wires)
	w.story = story
	broken := w.watched(func() {
		w.furnish(p)
		w.tell("tokens for %s; clock off by %s", p.lifetime, w.offset)
		for i, o := range w.judge.objects {
			w.tell("USER applies %s in %s, %s", o.name.Name, o.name.Namespace, p.objects[i].kind)
			o.apply(p.objects[i].kind)
		}
		w.startReplica(0)
		w.makeChaos(p)
		w.calm()
		for i, o := range w.judge.objects {
			w.repair(o, p.objects[i])
		}
		w.converge(75 * time.Minute)
		w.stayQuiet(min(max(2*p.lifetime, 20*time.Minute), 26*time.Hour))
	})
	return w, broken
}

// planOf returns the plan of a seed, with the assumptions that the flags allow.
func planOf(seed uint64) plan {
	return newPlan(seed, drawable(strings.FieldsFunc(*named, func(r rune) bool { return r == ',' }), *pending))
}

func TestSeeds(t *testing.T) {
	if *only != 0 {
		p := planOf(*only)
		if *kept != "" {
			k, err := parseKeep(*kept)
			if err != nil {
				t.Fatal(err)
			}
			p = p.kept(k)
		}
		if _, broken := live(&p, newWiring(t), func(line string) { fmt.Println(line) }); broken != nil {
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
				p := planOf(*first + n)
				w, broken := live(&p, wires, nil)
				days.Add(int64(w.now / time.Second))
				passes.Add(int64(w.passes))
				mu.Lock()
				total.add(w.judge.stats)
				mu.Unlock()
				if broken != nil {
					failed.Add(1)
					t.Errorf("seed %d: %v\n%s", p.seed, broken, smallest(&p, broken, wires))
				}
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	simulated := float64(days.Load()) / 86400
	count := min(uint64(next.Load()), *seeds)
	t.Logf("%d seeds, %.0f simulated days in %s: %.0f seeds, %.0f days a minute; %d reconciles", count, simulated, took.Round(time.Millisecond), float64(count)/took.Minutes(), simulated/took.Minutes(), passes.Load())
	t.Logf("%+v", total)
	t.Logf("totals: seeds %d, exchanges %d, tokens %d, writes %d, requests %d, passes %d", // hack/totals.sh reads this
		count, total.exchanges, total.issued, total.writes, total.requests, passes.Load())
	t.Log(total.flipped(count))
}

// smallest describes the smallest world that breaks the same promise, and how to run it.
func smallest(p *plan, broken *violation, wires *wiring) string {
	k, broken := p.shrunk(*shrinks, broken, func(smaller plan) *violation {
		_, again := live(&smaller, wires, nil)
		return again
	})
	smaller := p.kept(k)
	flags := ""
	if *named != "" {
		flags = " -simulation.flip=" + *named
	} else if *pending {
		flags = " -simulation.pending"
	}
	return fmt.Sprintf("shrunk to this, which fails with: %v\n%srun it again with: go test ./test/simulation -run TestSeeds -simulation.seed=%d%s -simulation.keep=%s",
		broken, smaller.describe(), p.seed, flags, k)
}

// flipped lists in how many worlds each assumption was flipped.
func (s *stats) flipped(worlds uint64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "assumptions flipped, of %d worlds:\n", worlds)
	for _, name := range slices.Sorted(maps.Keys(s.flips)) {
		fmt.Fprintf(&b, "%7d %5.1f %% %s\n", s.flips[name], 100*float64(s.flips[name])/float64(worlds), name)
	}
	return b.String()
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
	s.requests += other.requests
	s.writes += other.writes
	for cause, n := range other.causes {
		s.causes[cause] += n
	}
	for name, n := range other.flips {
		s.flips[name] += n
	}
}
