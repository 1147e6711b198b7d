// SPDX-License-Identifier: Apache-2.0

// Package credential decides what is to be done about a CDPCredential and what is reported of it. It is pure: the observed State goes in, the Plan, the
// Secret's content, the status, the events and the time of the next look come out. It holds no client, reads no clock and knows no context.
package credential

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// State is all that a reconcile decides from: the object, its two Secrets, what this process remembers, and the time. It is not changed while the
// decision is carried out: what was done makes a new State.
type State struct {
	Now    time.Time
	Object *v1alpha1.CDPCredential
	// SavedStatus is the object's status as the API server has it; Object has the one that could not be written, if there is one.
	SavedStatus v1alpha1.CDPCredentialStatus

	Desired    DesiredFlow
	DesiredErr error
	Policy

	Client ClientSecret
	// Target is the Secret that spec.target names, Current the one that has the token: the same, or the previous target, if it was renamed.
	Target, Current TargetSecret
	// Difference is what has changed in what would be sent since the current token was issued.
	Difference Difference
	// AttemptUnchanged says that the client Secret has another version than at the failed attempt but the same values.
	AttemptUnchanged bool
	// ClockAhead is by how much the local clock is ahead of the reconciler's, and StatusClockAhead the same of the clock that the times in status were on. All
	// times in a State, those of status and of the persisted state included, are on the reconciler's.
	ClockAhead, StatusClockAhead time.Duration
	// Turn is what the gate has said in this reconcile.
	Turn Turn
	Recalled
}

// Recalled is what this process remembers of an object.
type Recalled struct {
	// Salt keys the fingerprints that never leave this process.
	Salt []byte
	// UpdateRefused says that the vendor did not change the current token's resources.
	UpdateRefused bool
	// Repeated says that the endpoint gave the current token again when it was to be renewed.
	Repeated bool
	// Rejected says that the API answered 401 to the current token.
	Rejected bool
	// LastIssuedAt and Issuance are about the last token that this process was given. Zero: none. LastNewTokenAt leaves out answers with the current token.
	LastIssuedAt, LastNewTokenAt time.Time
	Issuance                     *v1alpha1.Issuance
	// Pending is a token that was issued and has yet to be written. Nil: none.
	Pending *Publication
	// Throttled is the last attempt that was answered with 429. Nil: none was since the last token.
	Throttled *ThrottledAttempt
	// Repairs are those of the target that this process has made lately.
	Repairs quickRepairs
	// ClockOffset is the endpoint's clock minus ours, by which it judges assertions.
	ClockOffset time.Duration
	// RewriteAt is when the target may be rewritten. Zero: now.
	RewriteAt time.Time
	// Terminating says that the namespace is being deleted.
	Terminating bool
}

// At returns the state at another time.
func (s *State) At(now time.Time) *State {
	at := *s
	at.Now = now
	return &at
}

// WithStatus returns the state with another status, which was saved as it is shown on the local clock.
func (s *State) WithStatus(status, saved v1alpha1.CDPCredentialStatus) *State {
	told, object := *s, *s.Object
	object.Status = status
	told.Object, told.SavedStatus = &object, saved
	return &told
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
