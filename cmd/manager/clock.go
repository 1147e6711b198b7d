package main

import (
	"context"
	"time"
)

// A clockWatch notices that the local clock was set, or that the machine slept.
type clockWatch struct {
	every time.Duration
	tell  func(ctx context.Context, step time.Duration) error
}

// Start implements manager.Runnable. It runs on the leader only, as only the leader has written anything down.
func (w *clockWatch) Start(ctx context.Context) error {
	ticker := time.NewTicker(w.every)
	defer ticker.Stop()
	began := time.Now()
	before := readClocks(began)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		now := readClocks(began)
		step, slept := now.since(before)
		before = now
		if step != 0 || slept {
			if err := w.tell(ctx, step); err != nil {
				return err
			}
		}
	}
}

// clocks are the machine's clocks at one moment.
type clocks struct {
	wall time.Time
	// ran is the time that the process ran, sleep not included.
	ran time.Duration
	// up is the time since boot, sleep included. Known only where there is such a clock.
	up    time.Duration
	known bool
}

func readClocks(began time.Time) clocks {
	now := time.Now()
	c := clocks{wall: now.Round(0), ran: now.Sub(began)} // Round(0) leaves the wall clock alone, Sub uses the monotonic one
	c.up, c.known = uptime()
	return c
}

// tolerance is what a clock may seem to step by because its readings are not made at the same moment.
const tolerance = 2 * time.Second

// since says by how much the wall clock was set since before, and whether the machine slept.
func (c clocks) since(before clocks) (step time.Duration, slept bool) {
	ran := c.ran - before.ran
	elapsed := ran
	if c.known && before.known {
		elapsed = c.up - before.up
	}
	step = c.wall.Sub(before.wall) - elapsed
	if step.Abs() < tolerance {
		step = 0
	}
	if !(c.known && before.known) && step > 0 {
		return 0, true // it cannot be told from a sleep, and to take a sleep for a step would prolong tokens
	}
	return step, elapsed-ran > tolerance
}
