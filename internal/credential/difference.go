// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// A Difference is how far a request differs from another.
type Difference int

const (
	// Same says that they do not differ.
	Same Difference = iota
	// UpdatableOnly says that an update of the token can change what differs.
	UpdatableOnly
	// Different says that it takes a new token.
	Different
)

// SpecDifference compares the desired flow with the one that the token came from. It knows no values of the client Secret.
func SpecDifference(p *PersistedState, desired *DesiredFlow) Difference {
	switch {
	case p.SpecHash == desired.SpecHash:
		return Same
	case desired.SpecHashWithoutUpdatable != "" && p.SpecHashWithoutUpdatable == desired.SpecHashWithoutUpdatable:
		return UpdatableOnly
	}
	return Different
}

// compareRequests compares a request, values included, with the one that the token came from.
func compareRequests(p *PersistedState, req exchange.Request) Difference {
	switch {
	case req.Fingerprint(p.Salt) == p.RequestHash:
		return Same
	case p.RequestHashWithoutUpdatable != "" && req.FingerprintWithoutUpdatable(p.Salt) == p.RequestHashWithoutUpdatable:
		return UpdatableOnly
	}
	return Different
}
