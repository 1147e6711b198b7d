// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"maps"
	"slices"
	"time"
)

// Secrets returns all that must not show up anywhere: the secrets of all clients there ever were, also as they look form-encoded and in
// a Basic header, Algonomy's tenant hashes, every token issued, every assertion and secret that a client sent, right or wrong. A test
// greps what the product wrote for them.
func (s *store) Secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.secrets.until))
}

// Stats returns a copy of the counts.
func (s *store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counts.stats
	stats := Stats{
		Issued:      maps.Clone(c.Issued),
		Updated:     maps.Clone(c.Updated),
		Answers:     maps.Clone(c.Answers),
		InFlight:    maps.Clone(c.InFlight),
		MaxInFlight: maps.Clone(c.MaxInFlight),
		PerSecond:   map[System]map[int64]int{},
	}
	for system, seconds := range c.PerSecond {
		stats.PerSecond[system] = maps.Clone(seconds)
	}
	return stats
}

// Issued is how many new tokens a client got.
func (s *store) Issued(system System, id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts.stats.Issued[ClientKey{system, id}]
}

// ResetMaxInFlight starts MaxInFlight anew from the present.
func (s *store) ResetMaxInFlight() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.stats.MaxInFlight = maps.Clone(s.counts.stats.InFlight)
}

// arrive counts a request to a token endpoint as begun.
func (s *store) arrive(system System, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.arrive(system, now)
}

func (s *store) leave(system System) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.stats.InFlight[system]--
}

func (s *store) count(key AnswerKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.stats.Answers[key]++
}
