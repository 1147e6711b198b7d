// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"slices"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A TargetMemory is what is known of the target Secret and of our writes to it.
type TargetMemory struct {
	// Seen are the target Secrets that we wrote or read; nearly always there is one.
	Seen []SeenTarget
	// Confirmed says that this process has decided on an exchange with what the API server says, or has written the target itself.
	Confirmed bool
	// Uncertain says that a rewritten target may be there though the write was answered with an error.
	Uncertain bool
	// Terminating says that the namespace is being deleted.
	Terminating bool
	// Rewrites counts the rewrites since RewriteSince.
	Rewrites     int
	RewriteSince time.Time
	// Repairs are the last repairs of the target.
	Repairs RepairHistory
}

// A TokenMemory is what is known of the last tokens and attempts.
type TokenMemory struct {
	// Pending is a token that was issued and could not yet be written.
	Pending *Publication
	// IssuedAt is when this process last asked for a token that it was given, and issuance the count of that day: status and the target may both have
	// been taken away, and know nothing of a token that was never written. Zero: it was given none.
	IssuedAt time.Time
	Issuance *v1alpha1.Issuance
	// RepeatedAt is when the endpoint last gave the current token again, and repeats how often in a row it has done so after its end.
	RepeatedAt time.Time
	Repeats    int
	// Throttled is the last attempt that was answered with 429. Nil: none was since the last token.
	Throttled *ThrottledAttempt
	// Assertions is what is known of the clock of the endpoint that judges them.
	Assertions AssertionClock
	// UpdateRefused is the MAC of the token whose resources the vendor did not change.
	UpdateRefused string
	// HeldUpSince is since when the next exchange has waited for its turn, or for the API server to let it go on. Zero: it does not.
	HeldUpSince time.Time
}

// A VerificationMemory is what is known of the last verification.
type VerificationMemory struct {
	// Rejected is the MAC of the token that the API refused.
	Rejected string
	// Verified is what was last tried, token and address, and verifyAt when it is to be tried again. verifySpread says that the first try
	// after a start of the process was given its place. distrusted is the version of the client Secret that had no good CA for the try.
	Verified     string
	Distrusted   string
	VerifyAt     time.Time
	VerifySpread bool
}

// A StaleMemory is what is left to do about targets that are not the target any more.
type StaleMemory struct {
	// SharedTarget is the target if it holds keys of others and is not to be retained: when the object goes, it stays without ours. Empty: it is not so.
	SharedTarget string
	// Cleanup is what is left to do about targets of earlier names.
	Cleanup Cleanup
}

// Find returns what is known of a target.
func (m *TargetMemory) Find(name string) (SeenTarget, bool) {
	for _, seen := range m.Seen {
		if seen.Name == name {
			return seen, true
		}
	}
	return SeenTarget{}, false
}

// SawTarget remembers what was found in a target Secret, in place of what was remembered of it before.
func (m *TargetMemory) SawTarget(seen SeenTarget) {
	m.ForgetTarget(seen.Name)
	if len(m.Seen) > 8 { // after a few renamings there is nothing to gain from the old ones
		m.Seen = nil
	}
	m.Seen = append(slices.Clip(m.Seen), seen)
}

// ForgetTarget drops what is remembered of a target Secret.
func (m *TargetMemory) ForgetTarget(name string) {
	m.Seen = slices.DeleteFunc(m.Seen, func(seen SeenTarget) bool { return seen.Name == name })
}

// CountUnpublished counts a token that was issued and is not published: the vendor has counted it, too.
func (m *TokenMemory) CountUnpublished(s *State) {
	count := IssuedToday(s)
	count.Count++
	m.Issuance, s.Issuance = &count, &count
}

// Cleanup is what is left to do about targets of earlier names.
type Cleanup struct {
	// Before is the target that status named last, which nothing else need point to.
	Before string
	// Failures counts the tries in a row that came to nothing, and at is when it is tried again. told says that an event has told of it.
	Failures int32
	At       time.Time
	Told     bool
}

// Remember keeps the name of the old target from a status that is about to be overwritten.
func (c *Cleanup) Remember(s *State) {
	if old := s.SavedStatus.TargetName; old != "" && old != s.Object.Spec.Target.Name {
		c.Before = old
	}
}

// The backoff of a stale target's deletion doubles from CleanupBackoff to CleanupMaxBackoff.
const (
	CleanupBackoff    = 5 * time.Second
	CleanupMaxBackoff = 10 * time.Minute
)

// maxRewrites is how often a target is rewritten within MinIssueInterval.
const maxRewrites = 5

// rewriteAt returns when the target may be rewritten. Zero: now. Another writer that keeps reverting us must not drive our reconcile rate, nor may a
// leader that does not know yet that it was deposed, and whose clock is another one.
func (m *TargetMemory) rewriteAt(s *State) time.Time {
	if m.rewrotePast(s.Now) {
		return time.Time{}
	}
	if m.Rewrites >= maxRewrites || Drift(s) == ClockJumped {
		return m.RewriteSince.Add(MinIssueInterval)
	}
	return time.Time{}
}

// CountRewrite counts a rewrite.
func (m *TargetMemory) CountRewrite(now time.Time) {
	if m.rewrotePast(now) {
		m.RewriteSince, m.Rewrites = now, 0
	}
	m.Rewrites++
}

// rewrotePast reports whether the rewrites that were counted are too long ago to matter, or were counted before the clock was set back.
func (m *TargetMemory) rewrotePast(now time.Time) bool {
	return now.Sub(m.RewriteSince) >= MinIssueInterval || now.Before(m.RewriteSince)
}
