// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// fakeMachine is a machine whose local clock can be set and which can sleep.
type fakeMachine struct {
	wall  time.Time
	up    time.Duration
	blind bool
}

func (m *fakeMachine) clock() *machineClock {
	return startedClock(func() time.Time { return m.wall }, func() (time.Duration, bool) { return m.up, !m.blind })
}

// pass advances the time.
func (m *fakeMachine) pass(d time.Duration) { m.wall, m.up = m.wall.Add(d), m.up+d }

func newFakeMachine() *fakeMachine {
	return &fakeMachine{wall: time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC), up: 3 * time.Hour}
}

func TestMachineClockSeesAJump(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		do    func(*fakeMachine)
		now   string
		ahead time.Duration
	}{
		"time goes by": {func(m *fakeMachine) { m.pass(time.Minute) }, "11:01:00", 0},
		"set forward":  {func(m *fakeMachine) { m.wall = m.wall.Add(time.Hour); m.pass(time.Minute) }, "11:01:00", time.Hour},
		"set back":     {func(m *fakeMachine) { m.wall = m.wall.Add(-time.Hour); m.pass(time.Minute) }, "11:01:00", -time.Hour},
		"set, and set right": {func(m *fakeMachine) {
			m.wall = m.wall.Add(-time.Hour)
			m.pass(time.Minute)
			m.wall = m.wall.Add(time.Hour)
		}, "11:01:00", 0},
		"no counter": {func(m *fakeMachine) { m.blind = true; m.wall = m.wall.Add(time.Hour) }, "12:00:00", 0},
	} {
		m := newFakeMachine()
		c := m.clock()
		test.do(m)
		if now, ahead := c.Now().Format(time.TimeOnly), c.Ahead(); now != test.now || ahead != test.ahead {
			t.Errorf("%s: %s, ahead %s; want %s, %s", name, now, ahead, test.now, test.ahead)
		}
	}
}

type answering func(*http.Request) (*http.Response, error)

func (f answering) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// TestServerClockReadsTheAPIServersAnswers: the API server's clock is learned from its responses.
func TestServerClockReadsTheAPIServersAnswers(t *testing.T) {
	t.Parallel()
	right := time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC).Format(http.TimeFormat)
	for name, test := range map[string]struct {
		date  string
		took  time.Duration
		set   time.Duration
		err   error
		want  time.Duration
		known bool
	}{
		"the same":                       {date: right, want: 500 * time.Millisecond, known: true},
		"half an hour ahead":             {date: "Sun, 01 Mar 2026 11:35:00 GMT", want: 35*time.Minute + 500*time.Millisecond, known: true},
		"half an hour behind":            {date: "Sun, 01 Mar 2026 10:25:00 GMT", want: -35*time.Minute + 500*time.Millisecond, known: true},
		"ours is set after that":         {date: right, set: time.Hour, want: -time.Hour + 500*time.Millisecond, known: true},
		"the answer takes a while":       {date: right, took: 800 * time.Millisecond, want: 100 * time.Millisecond, known: true},
		"the answer takes too long":      {date: right, took: time.Second},
		"no Date":                        {},
		"a Date that is none":            {date: "soon"},
		"no answer, which says less yet": {err: errors.New("refused")},
	} {
		m := newFakeMachine()
		c := m.clock()
		_, err := c.listen(answering(func(*http.Request) (*http.Response, error) {
			m.pass(test.took)
			return &http.Response{Header: http.Header{"Date": {test.date}}}, test.err
		})).RoundTrip(nil)
		if !errors.Is(err, test.err) {
			t.Errorf("%s: %v", name, err)
		}
		m.wall = m.wall.Add(test.set)
		if got, known := c.Server(); known != test.known || known && got != test.want {
			t.Errorf("%s: %s, %v; want %s, %v", name, got, known, test.want, test.known)
		}
	}
}

// TestClockWatchReconcilesAfterAClockJump: objects are reconciled after the clock was adjusted or the machine slept, and not otherwise.
func TestClockWatchReconcilesAfterAClockJump(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		set, slept time.Duration
		want       int
	}{
		"nothing happens":   {},
		"a second":          {set: time.Second},
		"set forward":       {set: time.Hour, want: 1},
		"set back":          {set: -time.Hour, want: 1},
		"the machine slept": {slept: time.Hour, want: 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			began := time.Now()
			// The bubble's clock stands still in a sleep.
			var wall, up atomic.Int64
			since := func(more *atomic.Int64) time.Duration { return time.Since(began) + time.Duration(more.Load()) }
			c := startedClock(func() time.Time { return began.Round(0).Add(since(&wall)) }, func() (time.Duration, bool) { return since(&up), true })
			var told, asked int
			w := &clockWatch{clock: c, every: 5 * time.Second, ask: func(context.Context) { asked++ }, tell: func(context.Context) error { told++; return nil }}
			done := make(chan error)
			go func() { done <- w.Start(ctx) }()
			time.Sleep(7 * time.Second)
			wall.Add(int64(test.set + test.slept))
			up.Add(int64(test.slept))
			time.Sleep(time.Minute)
			cancel()
			if err := <-done; err != nil || told != test.want || asked != test.want {
				t.Errorf("%s: told %d times, asked %d times, want %d: %v", name, told, asked, test.want, err)
			}
		})
	}
}
