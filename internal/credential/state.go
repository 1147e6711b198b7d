// SPDX-License-Identifier: Apache-2.0

// Package credential decides what is to be done about a CDPCredential and what is reported of it. It is pure: the observed State goes in, the Plan, the
// Secret's content, the status, the events and the time of the next look come out. It holds no client, reads no clock and knows no context.
package credential

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// State is all that a reconcile decides from: the object, its two Secrets, and the time. Deciding from it is pure.
type State struct {
	Now    time.Time
	Object *v1alpha1.CDPCredential
	// SavedStatus is the object's status as the API server has it; obj has the one that could not be written, if there is one.
	SavedStatus v1alpha1.CDPCredentialStatus

	Desired    DesiredFlow
	DesiredErr error
	Policy

	Client ClientSecret
	// Target is the Secret that spec.target names, held the one that has the token: the same, or the previous target, if it was renamed.
	Target, Current TargetSecret
	// Difference is what has changed in what would be sent since the held token was issued.
	Difference Difference
	// AttemptUnchanged says that the client Secret has another version than at the failed attempt but the same values.
	AttemptUnchanged bool
	// ClockAhead is by how much the local clock is ahead of the reconciler's, and StatusClockAhead the same of the clock that the times in status were on. All
	// times in a view, those of status and of the records included, are on the reconciler's.
	ClockAhead, StatusClockAhead time.Duration
	// UpdateRefused says that the vendor did not change the held token's resources.
	UpdateRefused bool
	// Repeated says that the endpoint gave the held token again when it was to be renewed.
	Repeated bool
	// Rejected says that the API answered 401 to the held token.
	Rejected bool
	// LastIssuedAt and issuance are what this process remembers of the last token that it was given. Zero: nothing. inHand says that this token
	// has yet to be written.
	LastIssuedAt time.Time
	// LastNewTokenAt is the same without answers with the held token.
	LastNewTokenAt  time.Time
	Issuance        *v1alpha1.Issuance
	HasPendingToken bool
	// Repairs are those of the target that this process has made lately.
	Repairs quickRepairs
	// Throttled says that this process remembers a 429 which has not been waited out.
	Throttled bool
}

// IsMoving reports whether the token has yet to be moved from the previous target, if it was renamed.
func (s *State) IsMoving() bool { return s.Current.Name != s.Target.Name }

// PreferNewer makes the target of an earlier name the current one if its token is the newer one, alive and ours: it is yet to be moved.
func (s *State) PreferNewer(before TargetSecret) {
	newer := !s.Target.HasToken() || before.Persisted != nil && before.Persisted.IssuedAt.After(s.Target.Persisted.IssuedAt)
	if newer && before.HoldsToken(s.Now) && before.Owner() == s.Object.Name {
		s.Current = before
	}
}
