// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"strings"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// NewPublication makes the record of a new token, for which it needs a salt, or the changed one of an updated token.
func NewPublication(s *State, plan Plan, got exchange.Token, salt []byte) *Publication {
	rec := PersistedState{}
	if plan.Action == ActionUpdate {
		rec = *s.Current.Persisted
		got.Life = rec.life()
		got.Type = rec.TokenType
	} else {
		rec.Object, rec.Cause, rec.HandledRequest = s.Object.Name, plan.Cause, RefreshRequest(s.Object)
		rec.Salt = salt
		rec.IssuedAt, rec.ExpiresAt = got.Life.IssuedAt.UTC(), got.Life.ExpiresAt.UTC()
		rec.TokenType, rec.Granted = got.Type, boundedScopes(got.Granted)
		count := IssuedToday(s)
		count.Count++
		rec.Issuance = &count
		rec.SameCount = sameOf(s, plan.Cause, got)
		if s.Current.Persisted != nil {
			rec.Warned = s.Current.Persisted.Warned
		}
	}
	if !s.Desired.Flow.Exchanges() {
		rec.IssuedAt, rec.ExpiresAt, rec.Issuance = time.Time{}, time.Time{}, nil
	}
	req := plan.Request
	req.CurrentToken = ""
	DescribeRequest(&rec, s, req)
	p := &Publication{Token: got, Request: req, Persisted: rec}
	p.Persisted.Warned = warningNames(s, p)
	return p
}

// DescribeRequest notes in a record what its token was asked for with.
func DescribeRequest(rec *PersistedState, s *State, req exchange.Request) {
	rec.SpecHash, rec.SpecHashWithoutUpdatable, rec.ClientVersion = s.Desired.SpecHash, s.Desired.SpecHashWithoutUpdatable, s.Client.Version
	rec.RequestHash, rec.RequestHashWithoutUpdatable = req.Fingerprint(rec.Salt), req.FingerprintWithoutUpdatable(rec.Salt)
}

// boundedScopes keeps what an endpoint says within what status should hold.
func boundedScopes(granted []string) []string {
	var kept []string
	for _, scope := range granted[:min(len(granted), 100)] {
		if clean := strings.Map(scopeCharacter, scope); clean == scope && len(scope) <= 256 {
			kept = append(kept, scope)
		}
	}
	return kept
}

// scopeCharacter drops what RFC 6749 section 3.3 does not allow.
func scopeCharacter(c rune) rune {
	if c == '"' || c == '\\' || c <= ' ' || c > '~' {
		return -1
	}
	return c
}

// placeholder is written in a rehearsal in place of a token.
const placeholder = "placeholder-for-a-token"

// NewRehearsal stands for a token that is yet to be issued: the API server says whether it could be written.
func NewRehearsal(s *State, plan Plan, salt []byte) *Publication {
	life := token.Life{IssuedAt: s.Now, ExpiresAt: s.Now.Add(time.Hour)}
	p := NewPublication(s, Plan{Action: ActionIssue, Cause: plan.Cause, Request: plan.Request}, exchange.Token{Value: placeholder, Type: "Bearer", Life: life}, salt)
	p.DryRun = true
	return p
}
