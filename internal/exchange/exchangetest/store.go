// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// store is what a Server knows: its clients, and what it has issued, seen and counted. It is safe for concurrent use.
type store struct {
	// now is the true time.
	now func() time.Time

	mu      sync.Mutex // guards what follows
	rand    io.Reader
	clients map[clientKey]Client
	ledger  ledger
	secrets secrets
	counts  counts
}

func newStore(options Options) *store {
	return &store{
		now:     options.Now,
		rand:    options.Rand,
		clients: map[clientKey]Client{},
		ledger:  newLedger(options.Forget),
		secrets: newSecrets(options.Forget),
		counts:  newCounts(options.History),
	}
}

// random returns n random bytes.
func (s *store) random(n int) ([]byte, error) {
	b := make([]byte, n)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.ReadFull(s.rand, b); err != nil {
		return nil, fmt.Errorf("read random bytes: %w", err)
	}
	return b, nil
}

// client returns a registered client. The maps and slices in it are never written to.
func (s *store) client(system System, id string) (Client, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.clients[clientKey{system, id}]
	return c, ok
}

// granted reports whether any client of the system may ask for the audience.
func (s *store) granted(system System, audience string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, client := range s.clients {
		if key.system == system && slices.Contains(client.Audiences, audience) {
			return true
		}
	}
	return false
}

// sent remembers secrets that came with a request, right or wrong. Values that are too short for a secret would be found everywhere.
func (s *store) sent(now time.Time, values ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, value := range values {
		if len(value) >= 8 {
			s.secrets.remember(value, now, now)
		}
	}
}
