// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// Times are shown, in status and on the target, on the local clock, which people set and NTP corrects. Decisions are made on the reconciler's clock,
// which only runs. So beside each written time its clock is written, too: by how much that was ahead of the reconciler's, and of the API server's for
// other processes to compare. Whoever reads a time puts it on its own reconciler's clock first.

const (
	// ClockNoise is how far two clocks may seem apart only because they are read one after the other, or in whole seconds.
	ClockNoise = 2 * time.Second
	// clockJump is by how much the local clock must be set before the times on the target are written again. Clocks are adjusted all the time, and a
	// smaller change is within every lead time.
	clockJump = 30 * time.Second
)

// Clocks says how three clocks compare at one moment: the reconciler's, the local one, and the API server's.
type Clocks struct {
	// Process identifies the times that this process wrote.
	Process string
	// Ahead is the local clock minus the reconciler's, in whole seconds: a token that ends at a whole second is shown so.
	Ahead time.Duration
	// Server is the API server's clock minus the local one.
	Server      time.Duration
	ServerKnown bool
}

// serverAhead returns the API server's clock minus one that is ahead of the reconciler's by the given time. Zero: they agree, or it is unknown.
func (c Clocks) serverAhead(ahead time.Duration) time.Duration {
	apart := (c.Server + c.Ahead - ahead).Round(time.Second)
	if !c.ServerKnown || apart.Abs() < ClockNoise {
		return 0
	}
	return apart
}

// reading is written beside times on a clock that is ahead of the reconciler's by the given time.
func (c Clocks) reading(ahead time.Duration) v1alpha1.ClockReading {
	return v1alpha1.ClockReading{Process: c.Process, AheadSeconds: int64(ahead / time.Second), ServerSeconds: int64(c.serverAhead(ahead) / time.Second)}
}

// aheadOf returns by how much the clock of a reading is ahead of the reconciler's. For this process's own readings it was written down; the clock of
// another process is compared by way of the API server's.
func (c Clocks) aheadOf(reading v1alpha1.ClockReading) time.Duration {
	if reading.Process != "" && reading.Process == c.Process {
		return time.Duration(reading.AheadSeconds) * time.Second
	}
	apart := time.Duration(reading.ServerSeconds)*time.Second - c.serverAhead(c.Ahead)
	if apart.Abs() < ClockNoise {
		apart = 0
	}
	return c.Ahead - apart
}

// LocalSkew returns the endpoint's clock minus the local one. Zero: they agree, or it is unknown.
func (c Clocks) LocalSkew(life token.Life) time.Duration {
	skew := life.Skew - c.Ahead
	if !life.SkewKnown || skew.Abs() < ClockNoise {
		return 0
	}
	return skew
}

// ParsePersistedState is the function of that name, with the times on the reconciler's clock.
func (c Clocks) ParsePersistedState(text, object string) *PersistedState {
	p := ParsePersistedState(text, object)
	if p == nil {
		return nil
	}
	p.ClockAhead = c.aheadOf(p.Clock)
	p.IssuedAt, p.ExpiresAt = Moved(p.IssuedAt, -p.ClockAhead), Moved(p.ExpiresAt, -p.ClockAhead)
	return p
}

// Stamp says on which clock the times are written.
func (c Clocks) Stamp(p *PersistedState) {
	p.ClockAhead = c.Ahead
	p.Clock = c.reading(p.ClockAhead)
}
