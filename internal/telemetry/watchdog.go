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
	// The work queue counts as stopped when an object is overdue by lateEnough and no reconcile has ended for quietEnough. A reconcile takes a minute
	// at most, so endpoints that hang do not look like a stopped queue.
	lateEnough  = 5 * time.Minute
	quietEnough = 3 * time.Minute
)

// A Watchdog detects that the work queue has stopped handing out work, which has happened. Such a process must be restarted, but not one whose
// endpoints are down: that would make an outage worse. Began and Finished do nothing on a nil Watchdog.
type Watchdog struct {
	clock clock.PassiveClock

	mu sync.Mutex
	// due is when each object is to be reconciled next.
	due map[types.NamespacedName]time.Time
	// ended is when the last reconcile ended.
	ended time.Time
}

// NewWatchdog creates a Watchdog and registers its metrics.
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

// Began records that a reconcile of the object has begun: it is not overdue meanwhile.
func (w *Watchdog) Began(name types.NamespacedName) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.due, name)
}

// Finished records that a reconcile has ended, and when the object is due again. Zero: not before something changes.
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

// overdue returns the number of overdue objects, and by how long the first of them is overdue.
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
