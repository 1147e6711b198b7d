// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// reportTarget says what the target holds.
func reportTarget(s *State, status *v1alpha1.CDPCredentialStatus) {
	if !s.Target.HasToken() || s.Target.Owner() != s.Object.Name {
		inPreviousTarget := s.Current.HasToken() && s.IsMoving()
		if !inPreviousTarget {
			status.TokenExpirationTime, status.TargetVersion, status.GrantedScopes = nil, "", nil
		}
		return
	}
	written := s.Target.Persisted
	reportIssuance(s, status)
	status.TargetName = s.Target.Name
	status.TargetVersion = knownGoodVersion(s)
	status.TokenExpirationTime = wholeSecond(written.ExpiresAt)
	status.GrantedScopes = written.Granted
	if !written.IssuedAt.IsZero() {
		status.LastRefreshTime = wholeSecond(written.IssuedAt)
	}
	if written.HandledRequest != "" && written.HandledRequest == refreshRequest(s.Object) {
		status.LastHandledRefreshRequest = written.HandledRequest
	}
}

// knownGoodVersion returns the target's version if its content is as we wrote it: the next process then need not read it. Empty: it has to.
func knownGoodVersion(s *State) string {
	t := &s.Target
	asWritten := t.Content == ContentIntact && t.Unusable == "" && t.SharedBeside(t.Persisted.Keys) == t.Persisted.Shared
	if !asWritten {
		return ""
	}
	return t.Version
}

// reportIssuance says how the endpoint issues tokens, and how many it has issued today.
func reportIssuance(s *State, status *v1alpha1.CDPCredentialStatus) {
	status.IssuanceMode, status.RepeatedUntil = issuanceMode(s), nil
	if s.Repeated {
		status.RepeatedUntil = wholeSecond(s.Current.Persisted.ExpiresAt)
	}
	status.Issuance = laterIssuance(laterIssuance(status.Issuance, s.Target.Persisted.Issuance), s.Issuance)
}

// laterIssuance returns the count of the later day or, of one day, the greater count.
func laterIssuance(a, b *v1alpha1.Issuance) *v1alpha1.Issuance {
	switch {
	case a == nil:
		return b.DeepCopy()
	case b == nil || b.Day < a.Day:
		return a
	case b.Day > a.Day:
		return b.DeepCopy()
	}
	return &v1alpha1.Issuance{Day: b.Day, Count: max(a.Count, b.Count)}
}
