// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"cmp"
	"slices"
	"time"
)

// reaction is the time without blockages within which an operator must have done what is due: a turn at the gate, an exchange, and the write.
const reaction = 4 * time.Second

// A blockage is a period in which nothing could be done for an object, and why.
type blockage struct {
	from, to time.Time
	why      string
}

func byStart(list []blockage) []blockage {
	slices.SortFunc(list, func(a, b blockage) int { return cmp.Or(a.from.Compare(b.from), a.to.Compare(b.to)) })
	return list
}

// opportunity returns the end of the first period of `reaction` without blockages at or after from. The blockages are sorted by byStart.
func opportunity(blockages []blockage, from time.Time) time.Time {
	for _, b := range blockages {
		if !b.to.After(from) {
			continue
		}
		if b.from.Sub(from) >= reaction {
			break
		}
		from = b.to
	}
	return from.Add(reaction)
}

// shares returns how long each kind of blockage lasted within a period.
func shares(blockages []blockage, from, to time.Time) map[string]time.Duration {
	found := map[string]time.Duration{}
	last := map[string]time.Time{}
	for _, b := range blockages {
		begin, end := later(later(b.from, from), last[b.why]), earlier(b.to, to)
		if end.After(begin) {
			found[b.why] += end.Sub(begin)
			last[b.why] = end
		}
	}
	return found
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
