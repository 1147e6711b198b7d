// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// SpecDifference is what spec.provider and spec.clientSecretRef ask for in comparison to what they did when the record was written.
func SpecDifference(rec *PersistedState, in *DesiredFlow) Difference {
	switch {
	case rec.SpecHash == in.SpecHash:
		return Same
	case in.SpecHashWithoutUpdatable != "" && rec.SpecHashWithoutUpdatable == in.SpecHashWithoutUpdatable:
		return UpdatableOnly
	}
	return Different
}

// CompareRequests says in what a request differs from the one that a record is of.
func CompareRequests(rec *PersistedState, req exchange.Request) Difference {
	switch {
	case req.Fingerprint(rec.Salt) == rec.RequestHash:
		return Same
	case rec.RequestHashWithoutUpdatable != "" && req.FingerprintWithoutUpdatable(rec.Salt) == rec.RequestHashWithoutUpdatable:
		return UpdatableOnly
	}
	return Different
}

// Difference is what has changed in what would be sent.
type Difference int

// The zero Difference is Same; UpdatableOnly is what an update of the token can change, without a new one.
const (
	Same Difference = iota
	UpdatableOnly
	Different
)
