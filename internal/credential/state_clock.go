// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"
)

// ClockJumped reports whether the local clock was set so far that what the target shows of its token is wrong.
func (s *State) ClockJumped() bool {
	current := s.Current.Persisted
	return current != nil && !current.ExpiresAt.IsZero() && (s.ClockAhead-current.ClockAhead).Abs() >= clockJump
}

// ShownClockAhead returns how far the clock on which times are shown is ahead of the reconciler's. It is the clock that the target was written on, until
// that has to be written again for another.
func (s *State) ShownClockAhead() time.Duration {
	if current := s.Current.Persisted; current != nil && !current.ExpiresAt.IsZero() && !s.ClockJumped() {
		return current.ClockAhead
	}
	return s.ClockAhead
}
