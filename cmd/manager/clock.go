package main

import (
	"context"
	"time"
)

// A clockWatch notices that the local clock was set, or that the machine slept.
type clockWatch struct {
	every time.Duration
	// uptime counts on while the machine sleeps, and is never set. ok is false where there is no such clock.
	uptime func() (up time.Duration, ok bool)
	tell   func(ctx context.Context, step time.Duration) error
}

// Start implements manager.Runnable. It runs on the leader only, as only the leader has written anything down.
func (w *clockWatch) Start(ctx context.Context) error {
	ticker := time.NewTicker(w.every)
	defer ticker.Stop()
	before, upBefore, known := w.look()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		now, up, stillKnown := w.look()
		ran := now.Sub(before) // by the monotonic clock, which stops while the machine sleeps
		elapsed := ran
		if known && stillKnown {
			elapsed = up - upBefore
		}
		step := now.Round(0).Sub(before.Round(0)) - elapsed // Round(0) leaves the wall clock alone
		before, upBefore, known = now, up, stillKnown
		slept := elapsed-ran > tolerance
		if !known && step > 0 {
			slept, step = step > tolerance, 0 // it cannot be told apart, and to take a sleep for a step would prolong tokens
		}
		if step.Abs() < tolerance {
			step = 0
		}
		if step != 0 || slept {
			if err := w.tell(ctx, step); err != nil {
				return err
			}
		}
	}
}

// tolerance is what a clock may seem to step by because its two readings are not made at the same moment.
const tolerance = 2 * time.Second

func (w *clockWatch) look() (time.Time, time.Duration, bool) {
	up, ok := w.uptime()
	return time.Now(), up, ok
}
