// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"strings"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// replacesEnded reports whether a token is asked for that could not be had before the end of the held one, and has not been given since: that does not
// wait for an earlier answer to be ten seconds ago.
func replacesEnded(s *State, why cause) bool {
	return why == CauseRenewal && issuanceMode(s) == v1alpha1.IssuanceModeSameUntilExpiry && !s.LastNewTokenAt.After(s.Current.Persisted.ExpiresAt)
}

// canRepublish reports whether the held token may be published as spec.provider has it now. The previous token is not published with the headers of
// after, nor without its own, and a user name and a password are no token, nor the other way round.
func canRepublish(s *State) bool {
	if s.Difference != Different {
		return true
	}
	isBasic := !s.Desired.Flow.Exchanges() || s.Current.Persisted.ExpiresAt.IsZero()
	return !isBasic && !hasCompanions(s) && !hadCompanions(s.Current.Persisted) && !showsClient(&s.Object.Spec.Target)
}

// showsClient reports whether a template has the client's ID beside the token: that of another client is not put there.
func showsClient(target *v1alpha1.Target) bool {
	for _, template := range target.Data {
		if strings.Contains(string(template), ".clientID") {
			return true
		}
	}
	return false
}

// hasCompanions reports whether the target holds request headers beside the one that carries the token.
func hasCompanions(s *State) bool { return len(s.Desired.Flow.APIHeaders) > 0 }

// hadCompanions reports whether it was written with such headers.
func hadCompanions(rec *PersistedState) bool { return len(rec.DefaultKeys) > 1 }
