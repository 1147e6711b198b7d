// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"
)

// ShownClockAhead is by how much the clock on which times are shown is ahead of Clock: the one that the target was written on, until the local clock was set by
// so much that it is written anew.
func (s *State) ShownClockAhead() time.Duration {
	if rec := s.Current.Persisted; rec != nil && !rec.ExpiresAt.IsZero() && !s.ClockJumped() {
		return rec.ClockAhead
	}
	return s.ClockAhead
}

// ClockJumped reports whether the local clock was set by so much that what the target says of its token is wrong.
func (s *State) ClockJumped() bool {
	rec := s.Current.Persisted
	return rec != nil && !rec.ExpiresAt.IsZero() && (s.ClockAhead-rec.ClockAhead).Abs() >= clockJump
}
