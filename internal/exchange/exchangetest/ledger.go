// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"maps"
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
