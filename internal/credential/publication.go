// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// A Publication is a token that is to be written into the target.
type Publication struct {
	Token     exchange.Token
	Request   exchange.Request
	Persisted PersistedState
	// Revised says that Persisted has its data revision. It gets that once, before the first write, so that a write whose answer was lost is recognised.
	Revised bool
	// Repeated says that it is the current token again.
	Repeated bool
	// DryRun says that the API server only checks the write.
	DryRun bool
}

// Republication is the current token again, of which the persisted state has all but the value.
func Republication(req exchange.Request, current PersistedState, value exchange.Secret) *Publication {
	return &Publication{
		Token:   exchange.Token{Value: value, Type: current.TokenType, Granted: current.Granted, Life: current.life()},
		Request: req, Persisted: current, Repeated: true,
	}
}
