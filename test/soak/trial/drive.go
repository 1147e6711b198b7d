// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"context"
	"time"
)

// A step is a planned action on the replicas. Its time counts from the start of the run.
type step struct {
	at   time.Duration
	what string
	// gone is how long the replica is missing.
	gone time.Duration
}

// Further steps.
const (
	alone       = "one replica, no leader election"
	together    = "two replicas, leader election"
	killsSpare  = "kill of the standby"
	killsBoth   = "kill of both"
	failOver    = 20 * time.Second // Lease duration and some more
	marathonEnd = 0.75
)

// replicaPlan has one replica, then two, then a period without kills in which growth would show, then one again.
func replicaPlan(o Options) []step {
	chance := o.chance(forReplicas)
	share := func(f float64) time.Duration { return time.Duration(f * float64(o.Duration)) }
	mean := min(max(o.Duration/70, 5*time.Second), 13*time.Second)
	var plan []step
	single := func(from, to time.Duration) {
		for i, t := 0, from+around(chance, mean/2); t < to-2*time.Second; i, t = i+1, t+around(chance, mean) {
			s := step{t, kills, between(chance, 100*time.Millisecond, 1500*time.Millisecond)}
			if i%6 == 4 {
				s.what = shutdowns
			}
			plan = append(plan, s)
		}
	}
	single(0, share(0.3))
	plan = append(plan, step{at: share(0.3), what: together})
	for t := share(0.3) + 6*time.Second; t < share(0.55)-4*time.Second; t += failOver + around(chance, mean) {
		s := step{t, kills, between(chance, 100*time.Millisecond, 1500*time.Millisecond)}
		if share(0.55)-t < failOver {
			s.what = shutdowns // there is no time for more
		} else if n := chance.IntN(10); n == 0 {
			s.what = killsBoth
		} else if n < 3 {
			s.what = killsSpare
		}
		plan = append(plan, s)
	}
	plan = append(plan, step{at: share(0.55), what: alone})
	single(share(marathonEnd), o.Duration)
	return plan
}

// drive executes the plan until ctx ends.
func (rs *replicas) drive(ctx context.Context, began time.Time, plan []step) {
	for _, s := range plan {
		pause(ctx, time.Until(began.Add(s.at)))
		if ctx.Err() != nil {
			return
		}
		if err := rs.take(ctx, s); err != nil {
			rs.problem("%s at %s: %v", s.what, s.at.Round(time.Second), err)
		}
	}
}

// endOf returns how a step ends a replica. Nil: it does not.
func (rs *replicas) endOf(s step, works bool) func(*replica) error {
	switch {
	case s.what == killsBoth, s.what == kills && works, s.what == killsSpare && !works:
		return rs.kill
	case s.what == shutdowns && works:
		return rs.shutDown
	}
	return nil
}

func (rs *replicas) take(ctx context.Context, s step) error {
	switch s.what {
	case alone:
		return rs.become(ctx, false)
	case together:
		return rs.become(ctx, true)
	}
	worker := rs.worker()
	if present := rs.present(); worker == nil && len(present) == 1 {
		worker = present[0] // it is killed while it starts
	}
	for _, r := range rs.present() {
		end := rs.endOf(s, r == worker)
		if end == nil {
			continue
		}
		if err := end(r); err != nil {
			return err
		}
		pause(ctx, s.gone)
		if err := rs.launch(ctx); err != nil {
			return err
		}
	}
	return nil
}
