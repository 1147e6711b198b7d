// SPDX-License-Identifier: Apache-2.0

package credential

// Recall tells a state what this process remembers of the object.
func (cache *ObjectCache) Recall(s *State) {
	m, target := &cache.Token, &cache.Target
	m.dropPending(s, target)
	s.Pending, s.Issuance, s.LastIssuedAt, s.LastNewTokenAt, s.Throttled = m.Pending, m.Issuance, m.IssuedAt, m.IssuedAt, m.Throttled
	s.ClockOffset = m.Assertions.Offset
	if m.RepeatedAt.After(s.LastIssuedAt) {
		s.LastIssuedAt = m.RepeatedAt
	}
	s.Repeated = RepeatedBefore(s)
	if rec := s.Current.Persisted; rec != nil {
		s.Rejected = s.Object.Spec.Verify != nil && (cache.Verification.Rejected == rec.TokenMAC || RejectedBefore(s))
		s.UpdateRefused = m.UpdateRefused == rec.TokenMAC
	}
	s.Repairs, s.RewriteAt, s.Terminating = target.Repairs.Quick, target.rewriteAt(s), target.Terminating
	target.Repairs.Confirm(s)
	cache.Pods.Recall(s)
}

// dropPending forgets a token that was issued and not written, if it is in the target after all, or is not what is asked for any more.
func (m *TokenMemory) dropPending(s *State, target *TargetMemory) {
	p := m.Pending
	if p == nil {
		return
	}
	if s.Target.HasToken() && !s.Target.Persisted.IssuedAt.Before(p.Persisted.IssuedAt) {
		target.Confirmed = target.Confirmed || s.Target.Persisted.IssuedAt.Equal(p.Persisted.IssuedAt)
		m.Pending = nil // it was written, and the answer to the write was lost, or it was overtaken
		return
	}
	if s.Client.Content == nil || s.DesiredErr != nil {
		return
	}
	if req, f := liveRequest(s); f == nil && !p.answers(s, req) {
		m.Pending = nil
	}
}
