package main

import (
	"testing"
	"time"
)

func TestClocksSince(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 1, 11, 17, 43, 0, time.UTC)
	before := clocks{wall: start, ran: time.Hour, up: 3 * time.Hour, known: true}
	for name, test := range map[string]struct {
		wall, ran, up time.Duration
		unknown       bool
		step          time.Duration
		slept         bool
	}{
		"nothing happened":                         {wall: 5 * time.Second, ran: 5 * time.Second, up: 5 * time.Second},
		"the clock is slewed":                      {wall: 5500 * time.Millisecond, ran: 5 * time.Second, up: 5 * time.Second},
		"the clock was set forward":                {wall: 605 * time.Second, ran: 5 * time.Second, up: 5 * time.Second, step: 10 * time.Minute},
		"the clock was set back":                   {wall: -595 * time.Second, ran: 5 * time.Second, up: 5 * time.Second, step: -10 * time.Minute},
		"the machine slept":                        {wall: 605 * time.Second, ran: 5 * time.Second, up: 605 * time.Second, slept: true},
		"it slept, and was set back":               {wall: 5 * time.Second, ran: 5 * time.Second, up: 605 * time.Second, step: -10 * time.Minute, slept: true},
		"set forward or slept, nobody knows":       {wall: 605 * time.Second, ran: 5 * time.Second, unknown: true, slept: true},
		"set back, without a clock that runs on":   {wall: -595 * time.Second, ran: 5 * time.Second, unknown: true, step: -10 * time.Minute},
		"nothing, without a clock that runs on":    {wall: 5 * time.Second, ran: 5 * time.Second, unknown: true},
		"the process was stopped, the clock is ok": {wall: 65 * time.Second, ran: 65 * time.Second, up: 65 * time.Second},
	} {
		now := clocks{wall: start.Add(test.wall), ran: time.Hour + test.ran, up: 3*time.Hour + test.up, known: !test.unknown}
		step, slept := now.since(before)
		if step != test.step || slept != test.slept {
			t.Errorf("%s: step %v, slept %v; want %v, %v", name, step, slept, test.step, test.slept)
		}
	}
}
