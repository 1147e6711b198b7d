// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"errors"
	"io"
	"math/rand/v2"
	"time"
)

// Options define a run.
type Options struct {
	// Credentials is their number; at least 8.
	Credentials int
	// Duration is how long faults are injected; setting up and settling take additional time.
	Duration time.Duration
	// Seed decides everything random.
	Seed uint64
	// Root is the module's folder, Temp a folder of the caller, who removes it.
	Root, Temp string
	// Progress receives a line now and then.
	Progress io.Writer
}

func (o Options) check() error {
	switch {
	case o.Credentials < 8:
		return errors.New("at least 8 credentials are needed")
	case o.Duration < 20*time.Second:
		return errors.New("a run takes 20 s at least")
	case o.Root == "" || o.Temp == "" || o.Progress == nil:
		return errors.New("root, temp or progress is missing")
	}
	return nil
}

// The random streams: each purpose has its own, so that an additional number for one changes nothing for the others.
const (
	forFleet = iota
	forFaultSchedule
	forFaults
	forReplicas
	forOutages
	forUsers
)

func (o Options) chance(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(o.Seed, stream)) }

// between returns a random duration.
func between(chance *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(chance.Float64()*float64(most-least))
}

// around returns an exponentially distributed duration with that mean, bounded so that no run is unlike all others.
func around(chance *rand.Rand, mean time.Duration) time.Duration {
	return min(max(time.Duration(chance.ExpFloat64()*float64(mean)), mean/4), 3*mean)
}

func pick[T any](chance *rand.Rand, list []T) T { return list[chance.IntN(len(list))] }
