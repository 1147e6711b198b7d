// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
)

// share returns the percentage of results that some test caught.
func share(results []result) float64 {
	caught := 0
	for _, r := range results {
		if r.verdict != survived {
			caught++
		}
	}
	return 100 * float64(caught) / float64(max(len(results), 1))
}

// report lists the survivors, and how many mutants were caught: in all, per package and per operator.
func report(w io.Writer, results []result) {
	slices.SortFunc(results, func(a, b result) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.start, b.start), cmp.Compare(a.operator, b.operator))
	})
	for _, r := range results {
		if r.verdict == survived {
			fmt.Fprintf(w, "\n%s\n%s\n", r.mutant, r.diff())
		}
	}
	verdicts := map[verdict]int{}
	by := map[string][]result{}
	for _, r := range results {
		verdicts[r.verdict]++
		for _, group := range []string{packageOf(r.mutant), string(r.operator)} {
			by[group] = append(by[group], r)
		}
	}
	fmt.Fprintln(w)
	for _, group := range slices.Sorted(maps.Keys(by)) {
		fmt.Fprintf(w, "  %-16s %5.1f %% of %d\n", group, share(by[group]), len(by[group]))
	}
	fmt.Fprintf(w, "%d mutants: %d caught by unit tests, %d by the simulation, %d survived; %.1f %% caught\n",
		len(results), verdicts[caughtByUnit], verdicts[caughtByWorld], verdicts[survived], share(results))
}
