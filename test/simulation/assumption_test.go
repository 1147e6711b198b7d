// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"slices"
	"time"
)

// An assumption is something that holds in a benign world and that a seed may flip.
type assumption struct {
	// name says what happens when it is flipped, holds what is true otherwise.
	name, holds string
	// flip changes the whole world before it begins. Nil: the assumption fails only in episodes.
	flip func(w *world)
	// episode breaks the assumption for a random time with that mean, and describes how. Nil: it fails all the time.
	episode func(w *world, about time.Duration) string
	// lacks is what the operator cannot do yet, so that worlds with this flip break promises. Seeds draw such an assumption only with
	// -simulation.pending.
	lacks string
}

// flipped draws the assumptions of a world to flip: often none or one, so that a finding has an obvious cause, and sometimes most of them.
func flipped(d *dice, all []*assumption) []*assumption {
	n := 0
	switch share := d.chance.Float64(); {
	case share < 0.2:
	case share < 0.5:
		n = 1
	case share < 0.75:
		n = 2 + d.chance.IntN(3)
	default:
		n = 5 + d.chance.IntN(10)
	}
	drawn := slices.Clone(all)
	d.chance.Shuffle(len(drawn), func(i, j int) { drawn[i], drawn[j] = drawn[j], drawn[i] })
	return drawn[:min(n, len(drawn))]
}

// drawable returns the assumptions that seeds draw from: those that are named or, if none are, all; without pending, only those that the operator can
// cope with.
func drawable(named []string, pending bool) []*assumption {
	var out []*assumption
	for _, list := range [][]*assumption{vendorAssumptions, apiAssumptions, deletionAssumptions, contestAssumptions, processAssumptions, peopleAssumptions} {
		for _, a := range list {
			if len(named) > 0 && slices.Contains(named, a.name) || len(named) == 0 && (pending || a.lacks == "") {
				out = append(out, a)
			}
		}
	}
	return out
}
