// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// clocks are those of one machine: the local one, which anybody may set, and one that only runs on, also while the machine sleeps, as that of
// cmd/manager does. They are the same when the process begins.
type clocks struct {
	w *world
	// skew is what the local clock is wrong by at the beginning, beside what all are.
	skew time.Duration
	// jumps are by what it was set since.
	jumps []jump
	// setAfter, if not 0, is how many points of passes are still to be passed before the clock is set by setBy.
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

// Server implements controllers.LocalClock. The API server's clock is right.
func (c *clocks) Server() (time.Duration, bool) { return c.w.clock().Sub(c.local()), true }

func (c *clocks) ranTo(now time.Duration) time.Time {
	return c.w.epoch.Add(now + c.w.offset + c.skew)
}

// local is what the local clock shows.
func (c *clocks) local() time.Time { return c.at(c.w.now) }

// at is what the local clock shows, or showed, at a time.
func (c *clocks) at(now time.Duration) time.Time {
	t := c.ranTo(now)
	for _, j := range c.jumps {
		if j.at <= now {
			t = t.Add(j.by)
		}
	}
	return t
}

// trueTime is when it is t by the local clock as it was set at that time.
func (c *clocks) trueTime(t time.Time, set time.Duration) time.Duration {
	return set + t.Sub(c.at(set))
}

// setClock sets the local clock of a replica's machine. It finds out within five seconds.
func (r *replica) setClock(by time.Duration) {
	if r.w.clocksHold {
		return
	}
	r.jumps = append(r.jumps, jump{r.w.now, by})
	r.noticesClock()
}

// maySetClock is a point of a pass at which the clock may be set.
func (r *replica) maySetClock() {
	if r.setAfter == 0 {
		return
	}
	if r.setAfter--; r.setAfter == 0 {
		r.w.after(time.Nanosecond, func() { r.setClock(r.setBy) }) // what is sent just now was made before
	}
}

// noticesClock has the process look at all objects, when it has seen that its clock was set or that it has slept.
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

// slept makes all timers of a replica late by as long as its machine slept.
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
