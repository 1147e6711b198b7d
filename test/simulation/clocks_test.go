// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// clocks are the two clocks of a machine: the local one, which can be adjusted, and a monotonic one that also runs while the machine sleeps, like
// that of cmd/manager. They agree when the process starts.
type clocks struct {
	w *world
	// skew is the initial error of the local clock, in addition to the one that all machines share.
	skew time.Duration
	// jumps are the adjustments since then.
	jumps []jump
	// setAfter is the number of points in reconciles until the clock is adjusted by setBy. Zero: it is not.
	setAfter int
	setBy    time.Duration
}

type jump struct{ at, by time.Duration }

// Now implements clock.PassiveClock.
func (c *clocks) Now() time.Time { return c.ranTo(c.w.now) }

// Since implements clock.PassiveClock.
func (c *clocks) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

// Ahead implements controllers.LocalClock.
func (c *clocks) Ahead() time.Duration { return c.local().Sub(c.Now()) }

// Server implements controllers.LocalClock. The API server's clock is always right.
func (c *clocks) Server() (time.Duration, bool) { return c.w.clock().Sub(c.local()), true }

func (c *clocks) ranTo(now time.Duration) time.Time {
	return c.w.epoch.Add(now + c.w.offset + c.skew)
}

// local returns the local time.
func (c *clocks) local() time.Time { return c.at(c.w.now) }

// at returns what the local clock shows, or showed, at a true time.
func (c *clocks) at(now time.Duration) time.Time {
	t := c.ranTo(now)
	for _, j := range c.jumps {
		if j.at <= now {
			t = t.Add(j.by)
		}
	}
	return t
}

// trueTime converts a local time to true time, with the local clock as it was set at that moment.
func (c *clocks) trueTime(t time.Time, set time.Duration) time.Duration {
	return set + t.Sub(c.at(set))
}

// setClock adjusts the local clock of a replica's machine. The process notices within five seconds.
func (r *replica) setClock(by time.Duration) {
	if r.w.clocksHold {
		return
	}
	r.jumps = append(r.jumps, jump{r.w.now, by})
	r.noticesClock()
}

// maySetClock is a point of a reconcile at which the clock may be adjusted.
func (r *replica) maySetClock() {
	if r.setAfter == 0 {
		return
	}
	if r.setAfter--; r.setAfter == 0 {
		r.w.after(time.Nanosecond, func() { r.setClock(r.setBy) }) // a request that is being sent was built before
	}
}

// noticesClock reconciles all objects once the process has noticed that its clock was adjusted or that it slept.
func (r *replica) noticesClock() {
	r.w.after(r.w.between(0, 5*time.Second), r.lookAtAll)
}

func (r *replica) lookAtAll() {
	switch {
	case r.dead:
	case r.paused:
		r.parked = append(r.parked, r.lookAtAll)
	default:
		for obj := range r.cache.credentials.all {
			r.enqueue(types.NamespacedName{Namespace: obj.Namespace, Name: obj.Name}, 0)
		}
	}
}

// slept delays all timers of a replica by the time that its machine slept.
func (r *replica) slept(d time.Duration) {
	began := r.w.now - d
	for _, name := range slices.SortedFunc(maps.Keys(r.queue), byName) {
		if at := r.queue[name]; at >= began {
			later := at + d
			r.queue[name] = later
			r.w.after(later-r.w.now, func() { r.due(name, later) })
		}
	}
	r.noticesClock()
}
