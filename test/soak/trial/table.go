// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

// Table formats the report as a table.
func (r *Report) Table() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { _, _ = fmt.Fprintf(w, name+"\t"+format+"\n", args...) }
	row("seed, credentials, duration", "%d, %d, %.0f s", r.Seed, r.Credentials, r.Duration)
	row("targets judged", "%d times, the slowest round after %.2f s; %d calls of APIs, %d reads of the API server", r.Looks, r.SlowestLook, r.Calls, r.LiveReads)
	row("expired or wrong token", "%.1f s (%.1f object-seconds)", r.BadSeconds, r.BadObjectSeconds)
	row("excused: outage longer than the lead", "%.1f s (%.1f object-seconds, %d times)", r.ExcusedSeconds, r.ExcusedObjectSeconds, len(r.Excused))
	for _, repair := range r.Repairs {
		row("repaired: "+repair.What, "%d times, median %.1f s, worst %.1f s, late %d", repair.Count, repair.Median, repair.Worst, repair.Late)
	}
	row("status behind the target", "%d times, median %.1f s, worst %.1f s", r.Disputes.Count, r.Disputes.Median, r.Disputes.Worst)
	e := r.Exchanges
	row("tokens issued", "%d: %d first, %d due, %d under way at the end", e.Issued, e.First, e.Due, e.UnderWay)
	for _, why := range sortedKeys(e.Excess) {
		row("  above that: "+why, "%d", e.Excess[why])
	}
	row("requests refused for being wrong", "%d", r.Refusals)
	row("requests", "%s", counts(r.Attempts))
	row("users", "%s; skipped %d", counts(r.Deeds), r.DeedsNot)
	row("operator", "%s; none running %s", counts(r.Replicas), spread(r.Idle))
	row("API server", "%d restarts, down %s", r.APIRestarts, spread(r.APIDown))
	row("machine too busy", "%s", spread(r.Stalls))
	row("recovered after", "%.1f s", r.SettledIn)
	row("goroutines, first and last third", "%.0f, %.0f; one process %.0f, %.0f", r.Growth.GoroutinesFirst, r.Growth.GoroutinesLast, r.Marathon.GoroutinesFirst, r.Marathon.GoroutinesLast)
	row("resident MiB, first and last third", "%.1f, %.1f; one process %.1f, %.1f (%d samples)", r.Growth.MiBFirst, r.Growth.MiBLast, r.Marathon.MiBFirst, r.Marathon.MiBLast, r.Marathon.Samples)
	row("foreign Secrets", "%d", r.ForeignLeft)
	row("violations", "%d", len(r.Violations))
	_ = w.Flush()
	list(&b, "Excused:", r.excused())
	list(&b, "Violations:", r.Violations)
	return b.String()
}

func (r *Report) excused() []string {
	var lines []string
	for _, g := range r.Excused {
		lines = append(lines, fmt.Sprintf("%s from %s for %.1f s, lead %.1f s: %v", g.Object, g.From, g.Seconds, g.Lead, g.Causes))
	}
	return lines
}

func list(b *strings.Builder, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	b.WriteString(title + "\n")
	for i, line := range lines {
		if i == 40 {
			fmt.Fprintf(b, "  and %d more\n", len(lines)-i)
			break
		}
		b.WriteString("  " + line + "\n")
	}
}

// counts lists the counts, highest first.
func counts(m map[string]int) string {
	names := sortedKeys(m)
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(m[b], m[a]) })
	var parts []string
	for _, name := range names {
		parts = append(parts, fmt.Sprintf("%s %d", cmp.Or(name, "well"), m[name]))
	}
	return strings.Join(parts, ", ")
}

func spread(values []float64) string {
	if len(values) == 0 {
		return "never"
	}
	sorted := slices.Sorted(slices.Values(values))
	sum := 0.0
	for _, v := range sorted {
		sum += v
	}
	return fmt.Sprintf("%d times, %.1f s in all, median %.1f s, worst %.1f s", len(sorted), sum, sorted[len(sorted)/2], sorted[len(sorted)-1])
}
