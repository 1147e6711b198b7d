// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"math/rand/v2"
	"time"
)

// dice decide what depends on the seed.
type dice struct{ chance *rand.Rand }

func newDice(seed, stream uint64) dice { return dice{rand.New(rand.NewPCG(seed, stream))} }

func (d *dice) thrown() *rand.Rand { return d.chance }

// between returns a random duration from least to most.
func (d *dice) between(least, most time.Duration) time.Duration {
	return least + time.Duration(d.chance.Float64()*float64(most-least))
}

// about returns an exponentially distributed duration with that mean.
func (d *dice) about(mean time.Duration) time.Duration {
	return time.Duration(d.chance.ExpFloat64() * float64(mean))
}

// maybe returns true with probability p.
func (d *dice) maybe(p float64) bool { return d.chance.Float64() < p }

func pick[T any](d interface{ thrown() *rand.Rand }, list []T) T {
	return list[d.thrown().IntN(len(list))]
}

// some returns a random part of a list, which may be empty or all of it.
func some[T any](d *dice, list []T) []T {
	var out []T
	p := pick(d, []float64{0, 0.1, 0.3, 0.7, 1})
	for _, item := range list {
		if d.maybe(p) {
			out = append(out, item)
		}
	}
	return out
}
