// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"strings"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// replacesEnded reports whether the new token replaces one that expired because the endpoint would not give another before. That need not wait until the
// endpoint's last answer, which was that token again, is ten seconds ago.
func replacesEnded(s *State, why Cause) bool {
	return why == CauseRenewal && issuanceMode(s) == v1alpha1.IssuanceModeSameUntilExpiry && !s.LastNewTokenAt.After(s.Current.Persisted.ExpiresAt)
}

// canRepublish reports whether the current token may be published as spec.provider now wants it. The token of the previous spec must not be mixed with
// the headers or the client ID of the new one, and a user name and password are no token.
func canRepublish(s *State) bool {
	if s.Difference != Different {
		return true
	}
	copiesValues := !s.Desired.Flow.Exchanges() || s.Current.Persisted.ExpiresAt.IsZero()
	hasHeaders := len(s.Desired.Flow.APIHeaders) > 0
	hadHeaders := len(s.Current.Persisted.DefaultKeys) > 1
	return !copiesValues && !hasHeaders && !hadHeaders && !showsClientID(&s.Object.Spec.Target)
}

// showsClientID reports whether a template uses the client's ID.
func showsClientID(target *v1alpha1.Target) bool {
	for _, template := range target.Data {
		if strings.Contains(string(template), ".clientID") {
			return true
		}
	}
	return false
}
