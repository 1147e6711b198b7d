// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// An episode is a period in which an endpoint misbehaves in one way. Its times count from the start of the run.
type episode struct {
	from, to time.Duration
	kind     kind
	share    float64 // of the requests
}

// A skew is the error of the endpoints' clocks from a time on.
type skew struct {
	from   time.Duration
	offset time.Duration
}

// faultSchedule decides which faults happen at a site's endpoints, and records them.
type faultSchedule struct {
	site     *site
	episodes map[string][]episode // by endpoint
	skews    []skew

	mu       sync.Mutex
	chance   *rand.Rand
	began    time.Time // zero: no faults yet
	ended    bool
	attempts []attempt
}

// background is the share of requests that fail outside of episodes.
const background = 0.03

func newFaultSchedule(o Options, s *site, number uint64) *faultSchedule {
	plan := o.chance(forFaultSchedule<<8 | number)
	w := &faultSchedule{site: s, chance: o.chance(forFaults<<8 | number), episodes: map[string][]episode{}}
	calm := min(25*time.Second, o.Duration/3)
	for _, system := range s.systems {
		for t := around(plan, calm); t < o.Duration; t += around(plan, calm) {
			e := episode{from: t, to: t + between(plan, time.Second, s.outage), kind: pick(plan, s.faults), share: 1}
			if plan.IntN(3) == 0 {
				e.share = 0.5
			}
			w.episodes[s.endpoint(system)] = append(w.episodes[s.endpoint(system)], e)
			t = e.to
		}
	}
	for t := around(plan, o.Duration/4); t < o.Duration; t += around(plan, o.Duration/4) {
		w.skews = append(w.skews, skew{t, pick(plan, []time.Duration{0, 45 * time.Second, -45 * time.Second, 10 * time.Minute, -10 * time.Minute})})
	}
	return w
}

// begin starts the faults.
func (w *faultSchedule) begin(now time.Time) {
	w.mu.Lock()
	w.began = now
	w.mu.Unlock()
	behaviour := w.site.server.Behaviour()
	behaviour.Fault = w.fault
	w.site.server.SetBehaviour(behaviour)
}

// end stops the faults. The clocks stay as they are.
func (w *faultSchedule) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
}

// turn sets the endpoints' clocks to what is planned for now.
func (w *faultSchedule) turn(since time.Duration) {
	var offset time.Duration
	for _, s := range w.skews {
		if s.from <= since {
			offset = s.offset
		}
	}
	behaviour := w.site.server.Behaviour()
	if behaviour.ClockOffset != offset {
		behaviour.ClockOffset = offset
		w.site.server.SetBehaviour(behaviour)
	}
}

// fault is the hook of exchangetest.
func (w *faultSchedule) fault(request exchangetest.Request) *exchangetest.Fault {
	if request.Path == exchangetest.APIPath {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	a := attempt{at: request.At, endpoint: w.site.endpoint(request.System), client: request.ClientID, busy: 200 * time.Millisecond}
	k, wrong := w.kindFor(a.endpoint, request.At.Sub(w.began))
	if !wrong {
		w.attempts = append(w.attempts, a)
		return nil
	}
	if k.name == deadToken && request.System == exchangetest.Algonomy {
		k = quickFaults(1)[0]
	}
	made := k.make(w.chance, request.At.Add(w.site.server.Behaviour().ClockOffset))
	a.fault, a.pace, a.spoils, a.busy, a.retryAfter = k.name, k.pace, k.spoils, made.busy, made.retryAfter
	w.attempts = append(w.attempts, a)
	return made.fault
}

func (w *faultSchedule) kindFor(endpoint string, since time.Duration) (kind, bool) {
	if w.ended {
		return kind{}, false
	}
	for _, e := range w.episodes[endpoint] {
		if e.from <= since && since < e.to {
			return e.kind, w.chance.Float64() < e.share
		}
	}
	if w.chance.Float64() < background {
		return pick(w.chance, w.site.faults), true
	}
	return kind{}, false
}

// log returns the requests to the site's endpoints, in the order of arrival.
func (w *faultSchedule) log() []attempt {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := slices.Clone(w.attempts)
	slices.SortStableFunc(list, func(a, b attempt) int { return a.at.Compare(b.at) })
	return list
}
