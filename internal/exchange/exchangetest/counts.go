// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"maps"
	"time"
)

// ClientKey names a client in Stats.
type ClientKey struct {
	System System
	ID     string
}

// AnswerKey names a kind of answer in Stats. Status 0 is no answer: hung, reset, or the client went away first. Path is "other" for
// paths that the system does not have.
type AnswerKey struct {
	System System
	Path   string
	Status int
}

// Stats is what a server has counted since its start. Only requests to token endpoints count in InFlight, MaxInFlight and PerSecond, not
// those to APIs.
type Stats struct {
	// Issued counts new tokens by client, those that a fault has spoilt included.
	Issued map[ClientKey]int
	// Updated counts Algonomy tokens whose resources were changed.
	Updated map[ClientKey]int
	// Answers counts finished requests of all endpoints.
	Answers map[AnswerKey]int
	// InFlight is how many requests a system is busy with now, MaxInFlight the most there ever were.
	InFlight, MaxInFlight map[System]int
	// PerSecond counts requests by the Unix second of their arrival, true time, for as long as Options.History.
	PerSecond map[System]map[int64]int
}

// Requests sums the finished requests to a path, whatever the answer.
func (s Stats) Requests(system System, path string) int {
	sum := 0
	for key, n := range s.Answers {
		if key.System == system && key.Path == path {
			sum += n
		}
	}
	return sum
}

// TotalIssued sums the new tokens of all clients.
func (s Stats) TotalIssued() int {
	sum := 0
	for _, n := range s.Issued {
		sum += n
	}
	return sum
}

type counts struct {
	history  int64
	stats    Stats
	requests map[requestKey]int
}

type requestKey struct {
	system     System
	path, from string
}

func newCounts(history int) counts {
	return counts{
		history: int64(history),
		stats: Stats{
			Issued:      map[ClientKey]int{},
			Updated:     map[ClientKey]int{},
			Answers:     map[AnswerKey]int{},
			InFlight:    map[System]int{},
			MaxInFlight: map[System]int{},
			PerSecond:   map[System]map[int64]int{},
		},
		requests: map[requestKey]int{},
	}
}

func (c *counts) arrive(system System, now time.Time) {
	c.stats.InFlight[system]++
	c.stats.MaxInFlight[system] = max(c.stats.MaxInFlight[system], c.stats.InFlight[system])
	seconds := c.stats.PerSecond[system]
	if seconds == nil {
		seconds = map[int64]int{}
		c.stats.PerSecond[system] = seconds
	}
	seconds[now.Unix()]++
	if int64(len(seconds)) > c.history+60 { // a minute's slack, so that this does not run every second
		maps.DeleteFunc(seconds, func(second int64, _ int) bool { return second <= now.Unix()-c.history })
	}
}

// nth returns the how manieth request of a client to a path this is.
func (c *counts) nth(system System, path, from string) int {
	key := requestKey{system, path, from}
	c.requests[key]++
	return c.requests[key]
}
