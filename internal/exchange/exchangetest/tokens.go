// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Tokens returns all tokens that were issued, oldest first, but those that Options.Forget has dropped.
func (s *store) Tokens() []Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	tokens := slices.Collect(maps.Values(s.ledger.tokens))
	slices.SortFunc(tokens, func(a, b Token) int {
		return cmp.Or(a.Issued.Compare(b.Issued), cmp.Compare(a.Value, b.Value))
	})
	return tokens
}

// Token returns what is known of a token, and false if it was never issued, or was forgotten.
func (s *store) Token(value string) (Token, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.ledger.tokens[value]
	return t, ok
}

// Revoke ends a token at once. It reports whether there was such a token.
func (s *store) Revoke(value string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.ledger.tokens[value]
	if ok {
		t.Revoked = true
		s.ledger.tokens[value] = t
	}
	return ok
}

// RevokeClient ends all tokens of a client and returns how many were live until then.
func (s *store) RevokeClient(system System, id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.revokeClient(system, id, s.now())
}

// revokeClient is RevokeClient for whoever holds the lock.
func (s *store) revokeClient(system System, id string, now time.Time) int {
	revoked := 0
	for value, t := range s.ledger.tokens {
		if t.System != system || t.ClientID != id || !t.LiveAt(now) {
			continue
		}
		t.Revoked = true
		s.ledger.tokens[value] = t
		revoked++
	}
	return revoked
}
