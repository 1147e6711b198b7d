// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Token is a token that was issued. Its times are true times, whatever the endpoint's clock said.
type Token struct {
	System   System
	ClientID string
	Value    string
	// Scopes granted; the resources of an Algonomy token.
	Scopes  []string
	Issued  time.Time
	Expires time.Time
	Revoked bool

	path string // the endpoint that issued it
}

// LiveAt reports whether the API takes the token at that true time.
func (t Token) LiveAt(now time.Time) bool { return !t.Revoked && now.Before(t.Expires) }

// Tokens returns all tokens that were issued, oldest first, but those that Options.Forget has dropped.
func (s *Server) Tokens() []Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	tokens := slices.Collect(maps.Values(s.ledger.tokens))
	slices.SortFunc(tokens, func(a, b Token) int {
		return cmp.Or(a.Issued.Compare(b.Issued), cmp.Compare(a.Value, b.Value))
	})
	return tokens
}

// Token returns what is known of a token, and false if it was never issued, or was forgotten.
func (s *Server) Token(value string) (Token, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.ledger.tokens[value]
	return t, ok
}

// Revoke ends a token at once. It reports whether there was such a token.
func (s *Server) Revoke(value string) bool {
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
func (s *Server) RevokeClient(system System, id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, revoked := s.options.Now(), 0
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

// ledger remembers tokens and the ids of assertions.
type ledger struct {
	forget time.Duration
	tokens map[string]Token
	jtis   map[jtiKey]time.Time // when the assertion expires, after which it would be refused anyway
	adds   int
}

type jtiKey struct {
	client clientKey
	jti    string
}

func newLedger(forget time.Duration) ledger {
	return ledger{forget: forget, tokens: map[string]Token{}, jtis: map[jtiKey]time.Time{}}
}

func (l *ledger) add(t Token) {
	l.tokens[t.Value] = t
	l.prune(t.Issued)
}

// use reports whether an assertion's id is new.
func (l *ledger) use(client clientKey, jti string, now, expires time.Time) bool {
	key := jtiKey{client, jti}
	if until, used := l.jtis[key]; used && now.Before(until) {
		return false
	}
	l.jtis[key] = expires
	l.prune(now)
	return true
}

// prune looks through everything now and then only: it is called for every request.
func (l *ledger) prune(now time.Time) {
	if l.adds++; l.adds%1024 != 0 {
		return
	}
	maps.DeleteFunc(l.jtis, func(_ jtiKey, expires time.Time) bool { return now.After(expires) })
	if l.forget > 0 {
		maps.DeleteFunc(l.tokens, func(_ string, t Token) bool { return now.After(t.Expires.Add(l.forget)) })
	}
}
