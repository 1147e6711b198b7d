// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
)

const (
	// lateEnough is how long after its time an object must not have been looked at, and quietEnough how long no pass at all must have
	// ended, for the work queue to count as stopped. A reconcile takes a minute at most, so that endpoints that hang do not look like it.
	lateEnough  = 5 * time.Minute
	quietEnough = 3 * time.Minute
)

// A Watchdog knows what is due and not done. Work queues have been seen to stop handing out work; a process whose queue has stopped is to
// be restarted, and one whose endpoints are down is not: that would only make an outage worse. Began and Finished do nothing on
// a nil Watchdog.
type Watchdog struct {
	clock clock.PassiveClock

	mu sync.Mutex
	// due is when each object is to be looked at again.
	due map[types.NamespacedName]time.Time
	// ended is when the last pass ended.
	ended time.Time
}

// NewWatchdog makes a Watchdog and registers its metrics.
func NewWatchdog(now clock.PassiveClock, registry prometheus.Registerer) (*Watchdog, error) {
	w := &Watchdog{clock: now, due: map[types.NamespacedName]time.Time{}}
	for _, c := range []prometheus.Collector{
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "cdpcredential_overdue_objects", Help: "Objects whose scheduled reconcile is more than a second late.",
		}, func() float64 { n, _ := w.overdue(); return float64(n) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "cdpcredential_overdue_seconds", Help: "How late the most overdue object is.",
		}, func() float64 { _, late := w.overdue(); return late.Seconds() }),
	} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("register the watchdog's metrics: %w", err)
		}
	}
	return w, nil
}

// Began says that a pass over the object is under way: it is not overdue meanwhile.
func (w *Watchdog) Began(name types.NamespacedName) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.due, name)
}

// Finished says that a pass has ended, and when the object is due again. Zero: not before something changes.
func (w *Watchdog) Finished(name types.NamespacedName, after time.Duration) {
	if w == nil {
		return
	}
	now := w.clock.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = now
	if after > 0 {
		w.due[name] = now.Add(after)
	}
}

// overdue counts the objects whose time has passed, and says how long ago the first of these times was.
func (w *Watchdog) overdue() (count int, late time.Duration) {
	now := w.clock.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, due := range w.due {
		if behind := now.Sub(due); behind > time.Second {
			count++
			late = max(late, behind)
		}
	}
	return count, late
}

// Check is a liveness check: it fails when work is long overdue and none is being done.
func (w *Watchdog) Check(*http.Request) error {
	count, late := w.overdue()
	w.mu.Lock()
	quiet := w.clock.Now().Sub(w.ended)
	w.mu.Unlock()
	if late > lateEnough && quiet > quietEnough {
		return fmt.Errorf("the work queue has stopped: %d objects are overdue, the first by %s", count, late.Round(time.Second))
	}
	return nil
}
