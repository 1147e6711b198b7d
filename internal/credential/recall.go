// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"
)

// Recall fills in what this process remembers of the object.
func (cache *ObjectCache) Recall(s *State) {
	m, target := &cache.Token, &cache.Target
	m.dropPending(s, target)
	s.Pending, s.Issuance, s.LastIssuedAt, s.LastNewTokenAt, s.Throttled = m.Pending, m.Issuance, m.IssuedAt, m.IssuedAt, m.Throttled
	s.ClockOffset, s.EarlyAt = m.Assertions.Offset, m.EarlyAt
	if m.RepeatedAt.After(s.LastIssuedAt) {
		s.LastIssuedAt = m.RepeatedAt
	}
	s.Repeated = repeatedBefore(s)
	if current := s.Current.Persisted; current != nil {
		s.Rejected = s.Object.Spec.Verify != nil && (cache.Verification.Rejected == current.TokenMAC || rejectedBefore(s))
		s.UpdateRefused = m.UpdateRefused == current.TokenMAC
	}
	s.Repairs, s.RewriteAt, s.Terminating = target.Repairs.Quick, target.rewriteAt(s), target.Terminating
	target.Repairs.Confirm(s)
	cache.Pods.Recall(s)
}

// dropPending forgets a token that was issued but not written if it is in the target after all, was overtaken by another, or is no longer wanted.
func (m *TokenMemory) dropPending(s *State, target *TargetMemory) {
	p := m.Pending
	if p == nil {
		return
	}
	if s.Target.HasToken() && !s.Target.Persisted.IssuedAt.Before(p.Persisted.IssuedAt) {
		target.Confirmed = target.Confirmed || s.Target.Persisted.IssuedAt.Equal(p.Persisted.IssuedAt)
		m.Pending = nil
		return
	}
	if s.Client.Content == nil || s.DesiredErr != nil {
		return
	}
	if req, f := liveRequest(s); f == nil && !p.answers(s, req) {
		m.Pending = nil
	}
}

// CountUnpublished counts a token that was issued and is not published: the vendor has counted it, too.
func (m *TokenMemory) CountUnpublished(s *State) {
	count := issuedToday(s)
	count.Count++
	m.Issuance, s.Issuance = &count, &count
}

// maxRewrites is how often a target is rewritten within MinIssueInterval.
const maxRewrites = 5

// rewriteAt returns when the target may be rewritten. Zero: now. Another writer that keeps reverting us must not drive our reconcile rate, and neither
// must a deposed leader whose clock disagrees with ours.
func (m *TargetMemory) rewriteAt(s *State) time.Time {
	if m.rewritesExpired(s.Now) {
		return time.Time{}
	}
	if m.Rewrites >= maxRewrites || drift(s) == ClockJumped {
		return m.RewriteSince.Add(MinIssueInterval)
	}
	return time.Time{}
}

// CountRewrite counts a rewrite.
func (m *TargetMemory) CountRewrite(now time.Time) {
	if m.rewritesExpired(now) {
		m.RewriteSince, m.Rewrites = now, 0
	}
	m.Rewrites++
}

// rewritesExpired reports whether the counted rewrites are too long ago to matter, or were counted before the clock was set back.
func (m *TargetMemory) rewritesExpired(now time.Time) bool {
	return now.Sub(m.RewriteSince) >= MinIssueInterval || now.Before(m.RewriteSince)
}
