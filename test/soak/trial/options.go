// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"errors"
	"io"
	"math/rand/v2"
	"time"
)

// Options say what to play.
type Options struct {
	// Credentials is how many there are; at least 8.
	Credentials int
	// Duration is how long things go wrong; setting up and calming down come on top.
	Duration time.Duration
	// Seed is where all chance comes from.
	Seed uint64
	// Root is the module's folder, Temp one of the caller's that is removed by it.
	Root, Temp string
	// Progress gets a line now and then.
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

// What chance is used for: each has a stream of its own, so that one more number here changes nothing there.
const (
	forFleet = iota
	forWeather
	forFaults
	forCrew
	forOutages
	forUsers
)

func (o Options) chance(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(o.Seed, stream)) }

// between is a random duration.
func between(chance *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(chance.Float64()*float64(most-least))
}

// around is a random duration of the given mean: what has no memory takes that long until it happens, bounded so that no run is unlike all
// others.
func around(chance *rand.Rand, mean time.Duration) time.Duration {
	return min(max(time.Duration(chance.ExpFloat64()*float64(mean)), mean/4), 3*mean)
}

func pick[T any](chance *rand.Rand, list []T) T { return list[chance.IntN(len(list))] }
