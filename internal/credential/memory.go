// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"slices"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A TokenMemory is what this process remembers of the last tokens and attempts of an object.
type TokenMemory struct {
	// Pending is a token that was issued but could not be written yet.
	Pending *Publication
	// IssuedAt is when this process last requested a token that it was given. Issuance is the count of that day. Status and target may both be lost, and
	// do not know of a token that was never written. Zero: it was given none.
	IssuedAt time.Time
	Issuance *v1alpha1.Issuance
	// EarlyAt is when an early attempt (Plan.Early) was last given a token. Status does not know of it if the write of the token failed. Zero: never.
	EarlyAt time.Time
	// RepeatedAt is when the endpoint last gave the current token again. Repeats is how often in a row it has done so after the token's expiry.
	RepeatedAt time.Time
	Repeats    int
	// Throttled is the last attempt that was answered with 429. Nil: none was since the last token.
	Throttled *ThrottledAttempt
	// Assertions is what is known of the clock that the endpoint checks assertions against.
	Assertions AssertionClock
	// UpdateRefused is the MAC of a token that the vendor refused to update.
	UpdateRefused string
	// HeldUpSince is since when the next exchange has waited for its turn, or for the API server. Zero: it does not wait.
	HeldUpSince time.Time
}

// A VerificationMemory is what this process remembers of the last verification.
type VerificationMemory struct {
	// Rejected is the MAC of a token that the API refused.
	Rejected string
	// Verified identifies what was last tried. VerifyAt is when to try it again.
	Verified string
	VerifyAt time.Time
	// Distrusted is the version of the client Secret if that had no valid CA for the last try.
	Distrusted string
	// VerifySpread says that the first try after the start of the process was put at a random time.
	VerifySpread bool
}

// A TargetMemory is what this process remembers of the target Secret and of its own writes.
type TargetMemory struct {
	// Seen are the target Secrets that we wrote or read. Nearly always it is one.
	Seen []SeenTarget
	// Confirmed says that this process has decided on an exchange with what the API server says, or has written the target itself.
	Confirmed bool
	// Uncertain says that the target may have been rewritten though the write was answered with an error.
	Uncertain bool
	// Terminating says that the namespace is being deleted.
	Terminating bool
	// Rewrites counts the rewrites since RewriteSince.
	Rewrites     int
	RewriteSince time.Time
	// Repairs are the last repairs of the target.
	Repairs RepairHistory
}

// maxSeen bounds how many target Secrets are remembered: after several renames, the old ones do not matter any more.
const maxSeen = 8

// Find returns what is known of a target.
func (m *TargetMemory) Find(name string) (SeenTarget, bool) {
	for _, seen := range m.Seen {
		if seen.Name == name {
			return seen, true
		}
	}
	return SeenTarget{}, false
}

// SawTarget remembers what a target Secret holds.
func (m *TargetMemory) SawTarget(seen SeenTarget) {
	m.ForgetTarget(seen.Name)
	if len(m.Seen) > maxSeen {
		m.Seen = nil
	}
	m.Seen = append(slices.Clip(m.Seen), seen)
}

// ForgetTarget drops what is remembered of a target Secret.
func (m *TargetMemory) ForgetTarget(name string) {
	m.Seen = slices.DeleteFunc(m.Seen, func(seen SeenTarget) bool { return seen.Name == name })
}
