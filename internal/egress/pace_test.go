package egress

import (
	"testing"
	"time"
)

func TestBounded(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ wait, left, want time.Duration }{
		{0, 0, 5 * time.Millisecond},
		{-time.Hour, 0, 5 * time.Millisecond},
		{time.Second, 0, time.Second},
		{3 * time.Minute, 0, 3 * time.Minute},
		{4 * time.Minute, 0, 2 * time.Minute}, // equal steps
		{10 * time.Minute, 0, 150 * time.Second},
		{10 * time.Minute, time.Hour, 150 * time.Second},
		{10 * time.Minute, 4 * time.Minute, time.Minute}, // a quarter of what the token has left
		{10 * time.Minute, time.Minute, 30 * time.Second},
		{10 * time.Minute, time.Nanosecond, 30 * time.Second},
		{10 * time.Minute, -time.Hour, 150 * time.Second}, // nothing to lose any more
		{10 * time.Second, time.Minute, 10 * time.Second},
	} {
		if got := bounded(tc.wait, tc.left); got != tc.want {
			t.Errorf("bounded(%v, %v) = %v, want %v", tc.wait, tc.left, got, tc.want)
		}
	}
}

func TestPace(t *testing.T) {
	t.Parallel()
	var p pace
	steps := []struct {
		observe time.Duration // negative: nothing
		place   int
		want    time.Duration // with 8 slots
	}{
		{-1, 0, 25 * time.Millisecond}, // 200 ms are assumed
		{-1, 79, 2 * time.Second},
		{8 * time.Second, 0, time.Second},
		{-1, 7, time.Second}, // of those in front, too
		{-1, 8, 9 * time.Second},
		{13 * time.Second, 8, 10125 * time.Millisecond}, // an average of 9 s
	}
	for i, step := range steps {
		if step.observe >= 0 {
			p.observe(step.observe)
		}
		if got := p.wait(step.place, 8); got != step.want {
			t.Errorf("step %d: wait(%d) = %v, want %v", i, step.place, got, step.want)
		}
	}
	p = pace{}
	p.observe(0) // a clock that stood still
	p.observe(-time.Hour)
	if got := p.wait(1000, 8); got < 0 || got > time.Second {
		t.Errorf("wait = %v after calls that took no time", got)
	}
}

func TestSeconds(t *testing.T) {
	t.Parallel()
	for s, want := range map[float64]time.Duration{0: 0, -1: 0, 0.5: 500 * time.Millisecond, 1e300: 1e6 * time.Second} {
		if got := seconds(s); got != want {
			t.Errorf("seconds(%v) = %v, want %v", s, got, want)
		}
	}
}
