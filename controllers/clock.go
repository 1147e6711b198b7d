package controllers

import (
	"encoding/hex"
	"fmt"
	"io"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
)

// A LocalClock says how the local clock, which anybody may set at any moment, stands to two that nobody sets: the reconciler's own Clock, which
// counts on from the start of the process, and the API server's, which all replicas see. The times that we show are on the local clock; all that
// is decided and remembered is on the reconciler's.
type LocalClock interface {
	// Ahead is the local clock minus the reconciler's Clock.
	Ahead() time.Duration
	// Server is the API server's clock minus the local one, good to a second or so. False: not known.
	Server() (time.Duration, bool)
}

// Sources are where time and chance come from.
type Sources struct {
	// Clock only runs: whoever sets the local clock does not change it, and it runs on while the machine sleeps. LocalClock says how the local clock
	// stands to it. Nil: they are the same.
	Clock      clock.PassiveClock
	LocalClock LocalClock
	// Jitter gives numbers in [0, 1). Rand gives unpredictable bytes, for salts.
	Jitter func() float64
	Rand   io.Reader

	named sync.Once
	// process tells the times that this process wrote from those of others.
	process string
}

func (r *Sources) processName() string {
	r.named.Do(func() {
		name := make([]byte, 4)
		if _, err := r.Rand.Read(name); err == nil { // else it is as if every record were another process's
			r.process = hex.EncodeToString(name)
		}
	})
	return r.process
}

// clocks say how the clocks stand at this moment.
func (r *Sources) clocks() credential.Clocks {
	c := credential.Clocks{Process: r.processName()}
	if r.LocalClock != nil {
		c.Ahead = r.LocalClock.Ahead().Round(time.Second)
		c.Server, c.ServerKnown = r.LocalClock.Server()
	}
	return c
}

func (r *Sources) localNow() time.Time { return r.Clock.Now().Add(r.clocks().Ahead) }

// random gives unpredictable bytes.
func (r *Sources) random(n int) ([]byte, error) {
	bytes := make([]byte, n)
	if _, err := r.Rand.Read(bytes); err != nil {
		return nil, fmt.Errorf("read random bytes: %w", err)
	}
	return bytes, nil
}
