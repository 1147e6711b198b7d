// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

const (
	// ClockNoise is how far two clocks may seem apart because they are not read at the same moment, or in whole seconds.
	ClockNoise = 2 * time.Second
	// clockJump is by how much the local clock must have been set for the times on the target to be written anew. Smaller steps are within every
	// lead, and clocks are adjusted all the time.
	clockJump = 30 * time.Second
)

// Clocks say how three clocks stand at one moment: the reconciler's, which nobody sets; the local one, on which times are shown; and the API server's.
type Clocks struct {
	// Process tells the times that this process wrote from those of others.
	Process string
	// Ahead is the local clock minus the reconciler's, in whole seconds: what is less is not worth telling, and a token that ends at a whole second is
	// shown so.
	Ahead time.Duration
	// Server is the API server's clock minus the local one.
	Server      time.Duration
	ServerKnown bool
}

// serverAhead is the API server's clock minus one that is ahead of the reconciler's by that much. Zero: they agree, or nobody knows.
func (c Clocks) serverAhead(ahead time.Duration) time.Duration {
	apart := (c.Server + c.Ahead - ahead).Round(time.Second)
	if !c.ServerKnown || apart.Abs() < ClockNoise {
		return 0
	}
	return apart
}

// reading is what is kept beside times that are written on a clock that is ahead of the reconciler's by that much.
func (c Clocks) reading(ahead time.Duration) v1alpha1.ClockReading {
	return v1alpha1.ClockReading{Process: c.Process, AheadSeconds: int64(ahead / time.Second), ServerSeconds: int64(c.serverAhead(ahead) / time.Second)}
}

// aheadOf is by how much the clock of a reading is ahead of the reconciler's. Of this process' own readings that is known. Another process' clock is
// compared by the API server's.
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

// LocalSkew is the endpoint's clock minus the local one. Zero: they agree, or nobody knows.
func (c Clocks) LocalSkew(life token.Life) time.Duration {
	skew := life.Skew - c.Ahead
	if !life.SkewKnown || skew.Abs() < ClockNoise {
		return 0
	}
	return skew
}

// ParsePersistedState reads a record and puts its times on Clock.
func (c Clocks) ParsePersistedState(text, object string) *PersistedState {
	rec := ParsePersistedState(text, object)
	if rec == nil {
		return nil
	}
	rec.ClockAhead = c.aheadOf(rec.Clock)
	rec.IssuedAt, rec.ExpiresAt = Moved(rec.IssuedAt, -rec.ClockAhead), Moved(rec.ExpiresAt, -rec.ClockAhead)
	return rec
}

// Stamp notes on which clock the record is written.
func (c Clocks) Stamp(rec *PersistedState) {
	rec.ClockAhead = c.Ahead
	rec.Clock = c.reading(rec.ClockAhead)
}
