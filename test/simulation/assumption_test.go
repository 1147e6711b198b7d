// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"slices"
	"time"
)

// An assumption is something that holds in a kind world and that a seed may flip.
type assumption struct {
	// name says what happens when it is flipped, holds what holds otherwise.
	name, holds string
	// flip makes it not hold in the whole world, before that begins. Nil: it only fails for a while at a time.
	flip func(w *world)
	// episode makes it not hold for about as long as it is told, and says how. Nil: it fails all the time.
	episode func(w *world, about time.Duration) string
	// lacks says what the operator cannot do yet without which a world that flips this breaks promises. Seeds do not draw it then, unless they are
	// asked to by -simulation.pending.
	lacks string
}

// flipped draws the assumptions that do not hold in a world: often none or one, so that what is found is of that one, and sometimes most of them.
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

// drawable are the assumptions that seeds draw from: those that are named, or all, or all but those that the operator is not up to yet.
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
