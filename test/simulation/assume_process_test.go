// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"time"
)

// processAssumptions concern the operator's processes and their machines.
var processAssumptions = []*assumption{
	{name: "leader-killed", holds: "the leader keeps running", episode: func(w *world, _ time.Duration) string {
		if r := w.leader(); r != nil {
			r.kill()
		}
		return ""
	}},
	{name: "leader-killed-midway", holds: "the leader is not killed in the middle of a reconcile", episode: func(w *world, _ time.Duration) string {
		if r := w.leader(); r != nil {
			r.fuse = 1 + w.chance.IntN(10)
			return fmt.Sprintf("at point %d", r.fuse)
		}
		return ""
	}},
	{name: "leader-stops", holds: "the leader is not paused", episode: func(w *world, about time.Duration) string {
		r := w.leader()
		if r == nil {
			return ""
		}
		d := w.about(about)
		w.suspendReplica(r, d)
		return d.String()
	}},
	{name: "leader-sleeps", holds: "the leader's machine does not sleep", episode: func(w *world, about time.Duration) string {
		r := w.leader()
		if r == nil {
			return ""
		}
		d := w.about(about)
		r.sleeps = true
		w.suspendReplica(r, d)
		return d.String()
	}},
	{name: "clock-jumps", holds: "nobody adjusts the operator's clock", episode: func(w *world, _ time.Duration) string {
		by := pick(w, []time.Duration{5 * time.Second, 50 * time.Minute, time.Hour}) * time.Duration(1-2*w.chance.IntN(2))
		for _, r := range w.replicas {
			if !r.deposed {
				r.setClock(by)
			}
		}
		return by.String()
	}},
	{name: "clocks-differ", holds: "the clocks of all machines agree", flip: func(w *world) { w.skewed = true }},
	{name: "stale-start", holds: "a process starts with an up-to-date list", flip: func(w *world) { w.staleStarts = true }},
	{name: "clock-off", holds: "the operator's clock is right", flip: func(w *world) {
		w.offset = pick(w, []time.Duration{10 * time.Minute, -10 * time.Minute})
	}},
}
