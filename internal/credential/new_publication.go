// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"strings"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// newPublication is a new token, which needs a salt, or an updated one.
func newPublication(s *State, plan Plan, got exchange.Token, salt []byte) *Publication {
	var written PersistedState
	if plan.Action == ActionUpdate {
		written = *s.Current.Persisted
		got.Life, got.Type = written.life(), written.TokenType
	} else {
		written = newlyIssued(s, plan.Cause, got, salt)
	}
	if !s.Desired.Flow.Exchanges() {
		written.IssuedAt, written.ExpiresAt, written.Issuance = time.Time{}, time.Time{}, nil
	}
	req := plan.Request
	req.CurrentToken = ""
	describeRequest(&written, s, req)
	p := &Publication{Token: got, Request: req, Persisted: written}
	p.Persisted.Warned = warningNames(s, p)
	return p
}

// newlyIssued is the state to persist with a new token.
func newlyIssued(s *State, why Cause, got exchange.Token, salt []byte) PersistedState {
	count := issuedToday(s)
	count.Count++
	return PersistedState{
		Salt: salt, Object: s.Object.Name,
		PersistedToken: PersistedToken{
			IssuedAt: got.Life.IssuedAt.UTC(), ExpiresAt: got.Life.ExpiresAt.UTC(), TokenType: got.Type, Granted: boundedScopes(got.Granted),
		},
		PersistedIssuance: PersistedIssuance{Cause: why, HandledRequest: refreshRequest(s.Object), Issuance: &count, SameCount: sameOf(s, why, got)},
	}
}

// describeRequest notes what a token was requested with.
func describeRequest(p *PersistedState, s *State, req exchange.Request) {
	p.SpecHash, p.SpecHashWithoutUpdatable, p.ClientVersion = s.Desired.SpecHash, s.Desired.SpecHashWithoutUpdatable, s.Client.Version
	p.RequestHash, p.RequestHashWithoutUpdatable = req.Fingerprint(p.Salt), req.FingerprintWithoutUpdatable(p.Salt)
}

// boundedScopes keeps what an endpoint says within what status should hold.
func boundedScopes(granted []string) []string {
	var kept []string
	for _, scope := range granted[:min(len(granted), 100)] {
		if len(scope) <= 256 && !strings.ContainsFunc(scope, notInScope) {
			kept = append(kept, scope)
		}
	}
	return kept
}

// notInScope reports whether RFC 6749 section 3.3 does not allow a character in a scope.
func notInScope(c rune) bool { return c == '"' || c == '\\' || c <= ' ' || c > '~' }

// placeholder is written in place of a token in a rehearsal.
const placeholder = "placeholder-for-a-token"

// NewRehearsal stands for a token that has yet to be issued, for the API server to say whether it could be written.
func NewRehearsal(s *State, plan Plan, salt []byte) *Publication {
	life := token.Life{IssuedAt: s.Now, ExpiresAt: s.Now.Add(time.Hour)}
	p := newPublication(s, Plan{Action: ActionIssue, Cause: plan.Cause, Request: plan.Request}, exchange.Token{Value: placeholder, Type: "Bearer", Life: life}, salt)
	p.DryRun = true
	return p
}

// currentToken is the current token, to be written again. What has changed in the request stays visible to the next reconcile.
func currentToken(s *State, req exchange.Request, value exchange.Secret) *Publication {
	current := *s.Current.Persisted
	if cameFrom(s, &current, req) {
		current.ClientVersion = s.Client.Version
	}
	return Republication(req, current, value)
}

// cameFrom reports whether a token came from this request.
func cameFrom(s *State, p *PersistedState, req exchange.Request) bool {
	return p.SpecHash == s.Desired.SpecHash && compareRequests(p, req) == Same
}

// answers reports whether a token that was issued but not written is still good, and what is now requested. One that was issued for another client Secret
// is not, even if the values are equal: using it would reveal that they are.
func (p *Publication) answers(s *State, req exchange.Request) bool {
	sameRequest := p.Persisted.SpecHash == s.Desired.SpecHash && p.Request.Fingerprint(s.Salt) == req.Fingerprint(s.Salt)
	return sameRequest && !p.Persisted.Expired(s.Now)
}
