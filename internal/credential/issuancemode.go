// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// issuanceMode is what the endpoint means by a new token: section 4 of the contract. Empty: there is none.
func issuanceMode(s *State) v1alpha1.IssuanceMode {
	rec := s.Current.Persisted
	switch {
	case !s.Desired.Flow.Exchanges() || rec == nil || rec.ExpiresAt.IsZero():
		return ""
	case oneActive(&s.Object.Spec):
		return v1alpha1.IssuanceModeOneActive
	case s.Repeated || rec.SameCount > 0:
		return v1alpha1.IssuanceModeSameUntilExpiry
	}
	return v1alpha1.IssuanceModeFresh
}
