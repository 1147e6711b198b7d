// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
)

// State is all that a reconcile decides from: the object, its two Secrets, what this process remembers, and the time. It does not change while the
// decision is carried out: what was done makes a new State.
type State struct {
	// Now is on the reconciler's clock, as are all times in a State, those in status and in the persisted state included.
	Now    time.Time
	Object *v1alpha1.CDPCredential
	// SavedStatus is the object's status as the API server has it. Object has the one that could not be written, if there is one.
	SavedStatus v1alpha1.CDPCredentialStatus

	Desired    DesiredFlow
	DesiredErr error
	Policy

	Client ClientSecret
	// Target is the Secret that spec.target names. Current is the one that holds the token: the same, or the previous target after a rename.
	Target, Current TargetSecret
	Comparison
	ClockOffsets
	// Turn is what the gate said in this reconcile.
	Turn Turn
	Recalled
}

// A Comparison says what has changed in the request.
type Comparison struct {
	// Difference is to the request that the current token came from.
	Difference Difference
	// AttemptUnchanged says that the client Secret has another version than at the last failed attempt, but the same values.
	AttemptUnchanged bool
}

// ClockOffsets say how far other clocks are ahead of the reconciler's.
type ClockOffsets struct {
	// ClockAhead is that of the local clock, StatusClockAhead that of the clock that the times in status were written on.
	ClockAhead, StatusClockAhead time.Duration
}

// Recalled is what this process remembers of an object.
type Recalled struct {
	// Salt keys the fingerprints that never leave this process.
	Salt []byte
	RecalledAnswers
	RecalledTokens
	RecalledWrites
}

// RecalledAnswers are what others said of the current token.
type RecalledAnswers struct {
	// UpdateRefused says that the vendor refused to change its resources.
	UpdateRefused bool
	// Repeated says that the endpoint gave it again when it was to be renewed.
	Repeated bool
	// Rejected says that the API answered 401 to it.
	Rejected bool
}

// RecalledTokens are what this process remembers of tokens and attempts.
type RecalledTokens struct {
	// LastIssuedAt is when this process was last given a token. LastNewTokenAt does not count the current one given again. Zero: never.
	LastIssuedAt, LastNewTokenAt time.Time
	// Issuance is the count of the day, with that token.
	Issuance *v1alpha1.Issuance
	// EarlyAt is when an early attempt (Plan.Early) was last given a token. Zero: never.
	EarlyAt time.Time
	// Pending is a token that was issued and has yet to be written. Nil: none.
	Pending *Publication
	// Throttled is the last attempt that was answered with 429. Nil: none was since the last token.
	Throttled *ThrottledAttempt
	// ClockOffset is the clock that the endpoint checks assertions against, minus ours.
	ClockOffset time.Duration
}

// RecalledWrites are what this process remembers of its writes to the target.
type RecalledWrites struct {
	// Repairs are the latest repairs.
	Repairs quickRepairs
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

// WithStatus returns the state with another status, which was saved with its times on the local clock.
func (s *State) WithStatus(status, saved v1alpha1.CDPCredentialStatus) *State {
	with, object := *s, *s.Object
	object.Status = status
	with.Object, with.SavedStatus = &object, saved
	return &with
}

// IsMoving reports whether the target was renamed, and the token has yet to be moved.
func (s *State) IsMoving() bool { return s.Current.Name != s.Target.Name }

// PreferNewer makes the previous target the current one if its token is newer, has not expired, and is ours.
func (s *State) PreferNewer(previous TargetSecret) {
	newer := !s.Target.HasToken() || previous.Persisted != nil && previous.Persisted.IssuedAt.After(s.Target.Persisted.IssuedAt)
	if newer && previous.HoldsToken(s.Now) && previous.Owner() == s.Object.Name {
		s.Current = previous
	}
}

// A Turn is the gate's answer to the exchange that a plan wants. The zero Turn: the gate was not asked.
type Turn struct {
	Granted bool
	// Delay is why the exchange has to wait. Since is when it began to.
	Delay *egress.Delay
	Since time.Time
}

// A ThrottledAttempt is an attempt that was answered with 429.
type ThrottledAttempt struct {
	// SpecHash is that of the desired flow, Request the fingerprint of what was sent, under this process's salt.
	SpecHash string
	Request  string
	// Failure is what was reported of it.
	Failure Failure
}
