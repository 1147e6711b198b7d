// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// setClock is a local clock that is ahead of the process' own, and of which the API server's is so far apart.
type setClock struct {
	ahead, server time.Duration
	unknown       bool
}

// aProcess is one whose random name is made of this byte.
type aProcess struct {
	name       string
	LocalClock setClock
}

func process(name byte, c setClock) *aProcess {
	return &aProcess{hex.EncodeToString([]byte(strings.Repeat(string(name), 4))), c}
}

func (p *aProcess) clocks() Clocks {
	return Clocks{Process: p.name, Ahead: p.LocalClock.ahead.Round(time.Second), Server: p.LocalClock.server, ServerKnown: !p.LocalClock.unknown}
}

// TestClocksAheadOfAReading: what a reading of a clock says to this process and to others.
func TestClocksAheadOfAReading(t *testing.T) {
	t.Parallel()
	const hour, minute, second = time.Hour, time.Minute, time.Second
	for name, tc := range map[string]struct {
		wrote, reads setClock
		// other says that another process reads it.
		other bool
		want  time.Duration
	}{
		"nothing happened":  {setClock{}, setClock{}, false, 0},
		"set forward since": {setClock{}, setClock{ahead: hour, server: -hour}, false, 0},
		"set forward since, and the API server's with it": {setClock{}, setClock{ahead: hour}, false, 0},
		"set back before":                                 {setClock{ahead: -hour, server: hour}, setClock{ahead: -hour, server: hour}, false, -hour},
		"set back before, and right again":                {setClock{ahead: -hour, server: hour}, setClock{}, false, -hour},
		"another process, clocks agree":                   {setClock{}, setClock{}, true, 0},
		"another process, nearly":                         {setClock{server: 1400 * time.Millisecond}, setClock{server: -400 * time.Millisecond}, true, 0},
		"another process, whose clock is behind":          {setClock{}, setClock{server: 35 * minute}, true, 35 * minute},
		"another process, whose clock is ahead":           {setClock{}, setClock{server: -35 * minute}, true, -35 * minute},
		"another process, both are behind":                {setClock{server: 35 * minute}, setClock{server: 35 * minute}, true, 0},
		"another process, the first one's was behind":     {setClock{server: 35 * minute}, setClock{}, true, -35 * minute},
		"another process, the first one's was set":        {setClock{ahead: hour, server: -hour}, setClock{}, true, hour},
		"another process, whose own was set since":        {setClock{}, setClock{ahead: hour, server: -hour}, true, 0},
		"another process, both were set":                  {setClock{ahead: hour, server: -hour}, setClock{ahead: hour, server: -hour}, true, hour},
		"another process, the API server's was set, too":  {setClock{ahead: hour}, setClock{}, true, 0},
		"another process, which knows of no other":        {setClock{server: -hour}, setClock{unknown: true}, true, hour},
		"another process, neither of them does":           {setClock{unknown: true}, setClock{unknown: true}, true, 0},
		"another process, which is apart by some seconds": {setClock{}, setClock{server: 20 * second}, true, 20 * second},
		"fractions of a second":                           {setClock{ahead: 400 * time.Millisecond}, setClock{ahead: 400 * time.Millisecond}, false, 0},
		"another process, fractions, and whole seconds":   {setClock{ahead: 5400 * time.Millisecond}, setClock{ahead: -400 * time.Millisecond}, true, 0},
	} {
		writer := process('a', tc.wrote)
		reading := writer.clocks().reading(writer.clocks().Ahead)
		reader := writer
		if tc.other {
			reader = process('b', setClock{})
		}
		reader.LocalClock = tc.reads
		if got := reader.clocks().aheadOf(reading); got != tc.want {
			t.Errorf("%s: %+v is ahead by %s, want %s", name, reading, got, tc.want)
		}
	}
}

// TestPersistedStateKeepsItsTimesOnAnotherClock: a record is written with the times of the local clock, and read with those of the process' own, whatever was set between.
func TestPersistedStateKeepsItsTimesOnAnotherClock(t *testing.T) {
	t.Parallel()
	r := process('a', setClock{ahead: time.Hour, server: -time.Hour})
	rec := &PersistedState{Salt: []byte("salt"), Object: "etl", PersistedToken: PersistedToken{IssuedAt: at("11:00:00"), ExpiresAt: at("12:00:00.5")}}
	r.clocks().Stamp(rec)
	rec.TokenMAC = rec.TokenMACOf([]byte("t0ken"))
	text, err := json.Marshal(rec.OnLocalClock())
	if err != nil {
		t.Fatal(err)
	}
	raw := ParsePersistedState(string(text), "etl")
	if !raw.IssuedAt.Equal(at("12:00:00")) || !raw.ExpiresAt.Equal(at("13:00:00.5")) {
		t.Errorf("written: %+v", raw)
	}
	if want := (v1alpha1.ClockReading{Process: "61616161", AheadSeconds: 3600, ServerSeconds: -3600}); raw.Clock != want {
		t.Errorf("written: %+v, want %+v", raw.Clock, want)
	}
	for name, c := range map[string]setClock{"as it was": {ahead: time.Hour, server: -time.Hour}, "set right": {}, "set back": {ahead: -time.Hour, server: time.Hour}} {
		r.LocalClock = c
		got := r.clocks().ParsePersistedState(string(text), "etl")
		if diff := cmp.Diff(rec, got, cmp.AllowUnexported(PersistedState{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if got.TokenMACOf([]byte("t0ken")) != rec.TokenMAC {
			t.Errorf("%s: the seal is broken", name)
		}
	}
	other := process('b', setClock{server: 35 * time.Minute})
	got := other.clocks().ParsePersistedState(string(text), "etl")
	// By the API server's clock it expires at 12:00, which is 11:25 on the other process' clock.
	if !got.ExpiresAt.Equal(at("11:25:00.5")) || got.TokenMACOf([]byte("t0ken")) != rec.TokenMAC {
		t.Errorf("another process, 35 minutes behind: %+v", got)
	}
	for name, edit := range map[string]func(*PersistedState){
		"clock": func(rec *PersistedState) { rec.Clock.ServerSeconds = 7200 }, "process": func(rec *PersistedState) { rec.Clock.Process = "b" }, "ahead": func(rec *PersistedState) { rec.Clock.AheadSeconds = 0 },
	} {
		edited := *raw
		edit(&edited)
		if edited.TokenMACOf([]byte("t0ken")) == rec.TokenMAC {
			t.Errorf("the seal does not cover the %s", name)
		}
	}
	basic := &PersistedState{Salt: []byte("salt"), Object: "etl", PersistedTarget: PersistedTarget{TokenMAC: "seal"}}
	r.clocks().Stamp(basic)
	if got := basic.OnLocalClock(); !got.IssuedAt.IsZero() || !got.ExpiresAt.IsZero() {
		t.Errorf("basic got a life: %+v", got)
	}
	if r.clocks().ParsePersistedState("", "etl") != nil {
		t.Error("no record became one")
	}
}

// TestStatusKeepsItsTimesOnAnotherClock: the times in status are on the local clock, and decided by on the process' own.
func TestStatusKeepsItsTimesOnAnotherClock(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		wrote, reads setClock
		other        bool
		// until is when it is tried again, on the process' own clock, and shown what status says of it then.
		until, shown string
		untouched    bool
	}{
		"nothing happened":                {until: "11:30:00", shown: "11:30:00", untouched: true},
		"set by some seconds":             {reads: setClock{ahead: 20 * time.Second}, until: "11:30:00", shown: "11:30:00", untouched: true},
		"set forward":                     {reads: setClock{ahead: time.Hour}, until: "11:30:00", shown: "12:30:00"},
		"set back":                        {reads: setClock{ahead: -time.Hour}, until: "11:30:00", shown: "10:30:00"},
		"set before, and stays":           {wrote: setClock{ahead: time.Hour}, reads: setClock{ahead: time.Hour}, until: "10:30:00", shown: "11:30:00", untouched: true},
		"another process":                 {other: true, until: "11:30:00", shown: "11:30:00", untouched: true},
		"another process, ahead by 35min": {other: true, reads: setClock{server: -35 * time.Minute}, until: "12:05:00", shown: "12:05:00"},
	} {
		s := steady()
		failed(s, "CredentialsRejected", "11:30:00")
		writer := process('a', tc.wrote)
		reading := writer.clocks().reading(tc.wrote.ahead)
		s.Object.Status.LastAttempt.Clock = &reading
		s.Current.Persisted.ClockAhead = tc.wrote.ahead
		saved := s.Object.Status.DeepCopy()
		r := writer
		if tc.other {
			r = process('b', setClock{})
		}
		r.LocalClock = tc.reads
		s.ClockAhead = tc.reads.ahead
		if tc.other {
			s.Current.Persisted.ClockAhead = r.clocks().aheadOf(reading)
		}
		r.clocks().AdoptStatus(s)
		until := backoffOf(s).Until
		status := r.clocks().LocalStatus(s, s.Object.Status)
		if got, shown := clockText(until), clockText(status.NextRefreshTime.Time); got != tc.until || shown != tc.shown {
			t.Errorf("%s: until %s, shown as %s; want %s and %s", name, got, shown, tc.until, tc.shown)
		}
		if same := cmp.Equal(*saved, status); same != tc.untouched {
			t.Errorf("%s: status has changed: %v\n%s", name, !same, cmp.Diff(*saved, status))
		}
	}
}

// TestStatusWithoutAClockHasTheTargets: status says nothing of its clock where there was no failed attempt. It was written on that of the target, which may have
// been set by an hour since, if both say the same of the token's end.
func TestStatusWithoutAClockHasTheTargets(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ ends, want string }{
		"status tells of the held token":   {"13:00:00", "11:42:00"},
		"it has been told since on ours":   {"12:00:00", "12:42:00"},
		"status tells of the token before": {"12:10:00", "12:42:00"},
		"status tells of no token":         {"", "12:42:00"},
	} {
		s := steady()
		s.Current.Persisted.ClockAhead = time.Hour
		s.Object.Status.NextRefreshTime = second("12:42:00")
		if tc.ends != "" {
			s.Object.Status.TokenExpirationTime = second(tc.ends)
		}
		process('a', setClock{}).clocks().AdoptStatus(s)
		if got := clockText(s.Object.Status.NextRefreshTime.Time); got != tc.want {
			t.Errorf("%s: the next refresh is at %s, want %s", name, got, tc.want)
		}
	}
}

// TestStatusOfBasicKeepsItsTimesOnAnotherClock: basic has no end that could tell on which clock status was written. Its times must not move with each pass.
func TestStatusOfBasicKeepsItsTimesOnAnotherClock(t *testing.T) {
	t.Parallel()
	s := steady()
	basic(s)
	s.Current.Persisted.ClockAhead = time.Hour
	s.Object.Status.TokenExpirationTime, s.Object.Status.LastRefreshTime = nil, second("11:30:00")
	r := process('a', setClock{})
	r.clocks().AdoptStatus(s)
	if got := r.clocks().LocalStatus(s, s.Object.Status).LastRefreshTime; clockText(got.Time) != "11:30:00" {
		t.Errorf("the last refresh has moved to %s", clockText(got.Time))
	}
}
