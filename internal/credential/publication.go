// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// Publication is a token on its way into the target, with all that the record says of it.
type Publication struct {
	Token     exchange.Token
	Request   exchange.Request
	Persisted PersistedState
	// Revised says that the record has its data revision: it is made with the first try to write it, as a try whose answer was lost is recognized by
	// the record.
	Revised bool
	// Repeated says that it is the held token again.
	Repeated bool
	// DryRun says that the API server is to say what it would do, and not to do it.
	DryRun bool
}

// Republication is the held token again, of which the record says all but its value.
func Republication(req exchange.Request, rec PersistedState, value exchange.Secret) *Publication {
	return &Publication{Token: exchange.Token{Value: value, Type: rec.TokenType, Granted: rec.Granted, Life: rec.life()}, Request: req, Persisted: rec, Repeated: true}
}
