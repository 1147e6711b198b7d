// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// reportTarget says what the target holds.
func reportTarget(s *State, status *v1alpha1.CDPCredentialStatus) {
	if !s.Target.HasToken() || s.Target.Owner() != s.Object.Name {
		if s.Current.HasToken() && s.IsMoving() {
			return // it is still in the previous target
		}
		status.TokenExpirationTime, status.TargetVersion, status.GrantedScopes = nil, "", nil
		return
	}
	rec := s.Target.Persisted
	reportIssuance(s, status)
	status.TargetVersion = ""
	asRecorded := s.Target.Content == ContentIntact && s.Target.Unusable == "" && s.Target.SharedBeside(rec.Keys) == rec.Shared
	if asRecorded { // what is wrong with it is found out again by the next process
		status.TargetVersion = s.Target.Version
	}
	status.TargetName = s.Target.Name
	status.TokenExpirationTime = wholeSecond(rec.ExpiresAt)
	status.GrantedScopes = rec.Granted
	if !rec.IssuedAt.IsZero() {
		status.LastRefreshTime = wholeSecond(rec.IssuedAt)
	}
	if rec.HandledRequest != "" && rec.HandledRequest == RefreshRequest(s.Object) {
		status.LastHandledRefreshRequest = rec.HandledRequest
	}
}

// reportIssuance says how the endpoint issues tokens, and how many it has issued.
func reportIssuance(s *State, status *v1alpha1.CDPCredentialStatus) {
	status.IssuanceMode, status.RepeatedUntil = issuanceMode(s), nil
	if s.Repeated {
		status.RepeatedUntil = wholeSecond(s.Current.Persisted.ExpiresAt)
	}
	for _, known := range []*v1alpha1.Issuance{s.Target.Persisted.Issuance, s.Issuance} {
		if known == nil || status.Issuance != nil && status.Issuance.Day > known.Day {
			continue
		}
		count := *known
		if status.Issuance != nil && status.Issuance.Day == count.Day {
			count.Count = max(count.Count, status.Issuance.Count)
		}
		status.Issuance = &count
	}
}
