// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"
)

// A machineClock implements clock.PassiveClock and controllers.LocalClock. It starts with the local time and then runs independently of adjustments,
// also while the machine sleeps. On systems without such a counter it is the local clock.
type machineClock struct {
	began time.Time
	// wall reads the local clock, up the time since boot, including sleep.
	wall func() time.Time
	up   func() (time.Duration, bool)
	// beganUp is the value of up at began.
	beganUp time.Duration
	// server is the API server's clock minus this one, nil until a response had a Date.
	server atomic.Pointer[time.Duration]
}

func newMachineClock() *machineClock {
	return startedClock(func() time.Time { return time.Now().Round(0) }, uptime)
}

func startedClock(wall func() time.Time, up func() (time.Duration, bool)) *machineClock {
	c := &machineClock{began: wall(), wall: wall, up: up}
	c.beganUp, _ = up()
	return c
}

// Now implements clock.PassiveClock.
func (c *machineClock) Now() time.Time {
	up, known := c.up()
	if !known {
		return c.wall()
	}
	return c.began.Add(up - c.beganUp)
}

// Since implements clock.PassiveClock.
func (c *machineClock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

// Ahead implements controllers.LocalClock.
func (c *machineClock) Ahead() time.Duration { return c.wall().Sub(c.Now()) }

// Server implements controllers.LocalClock.
func (c *machineClock) Server() (time.Duration, bool) {
	server := c.server.Load()
	if server == nil {
		return 0, false
	}
	return *server - c.Ahead(), true
}

// listen reads the API server's clock from its responses.
func (c *machineClock) listen(next http.RoundTripper) http.RoundTripper {
	return listener{clock: c, next: next}
}

type listener struct {
	clock *machineClock
	next  http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (l listener) RoundTrip(req *http.Request) (*http.Response, error) {
	sent := l.clock.Now()
	resp, err := l.next.RoundTrip(req)
	if err == nil {
		l.clock.heard(sent, l.clock.Now(), resp.Header.Get("Date"))
	}
	return resp, err
}

// heard learns from a Date header (RFC 9110 section 6.6.1), which has whole seconds and lies between the two times. A response that took long is too
// imprecise.
func (c *machineClock) heard(sent, received time.Time, date string) {
	said, err := http.ParseTime(date)
	if took := received.Sub(sent); err == nil && took < time.Second {
		apart := said.Add(time.Second / 2).Sub(sent.Add(took / 2))
		c.server.Store(&apart)
	}
}

// A clockWatch notices that the local clock was adjusted, or that the machine slept, which delays timers.
type clockWatch struct {
	clock *machineClock
	every time.Duration
	// ask makes a request to the API server, to learn its clock again: it may have been adjusted together with ours.
	ask  func(ctx context.Context)
	tell func(ctx context.Context) error
}

// tolerance is the apparent adjustment that two readings at slightly different moments may show. A smaller one can wait for the next renewal.
const tolerance = 2 * time.Second

// Start implements manager.Runnable. It runs only on the leader, which alone makes decisions that depend on the clock.
func (w *clockWatch) Start(ctx context.Context) error {
	ticker := time.NewTicker(w.every)
	defer ticker.Stop()
	began := time.Now() // its monotonic reading stands still while the machine sleeps
	slept := func(c *machineClock) time.Duration { return c.Since(began) - time.Since(began) }
	ahead, asleep := w.clock.Ahead(), slept(w.clock)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		nowAhead, nowAsleep := w.clock.Ahead(), slept(w.clock)
		if (nowAhead-ahead).Abs() < tolerance && (nowAsleep-asleep).Abs() < tolerance {
			continue
		}
		ahead, asleep = nowAhead, nowAsleep
		w.ask(ctx)
		if err := w.tell(ctx); err != nil {
			return err
		}
	}
}
