// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

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
