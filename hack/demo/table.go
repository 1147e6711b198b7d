// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// table renders states, a line each after the head.
func table(states []state, now time.Time) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	row := func(cells ...string) { _, _ = fmt.Fprintln(w, strings.Join(cells, "\t")) }
	row("CREDENTIAL", "PROVIDER", "READY", "EXPIRES IN", "NEXT REFRESH", "REFRESHES")
	for _, s := range states {
		row(s.name, s.provider, yesNo(s.ready), until(s.expires, now), until(s.next, now), count(s.refreshes))
	}
	_ = w.Flush()
	return b.String()
}

// failures lists why credentials are not well, a line each.
func failures(states []state) string {
	var b strings.Builder
	for _, s := range states {
		if s.failure != "" {
			fmt.Fprintf(&b, "%s: %s\n", s.name, s.failure)
		}
	}
	return b.String()
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

// until says how long it is to t; "-" if there is no t.
func until(t, now time.Time) string {
	if t.IsZero() {
		return "-"
	}
	if left := t.Sub(now).Round(time.Second); left > 0 {
		return left.String()
	}
	return "now"
}

func count(n int) string {
	if n < 0 {
		return "-"
	}
	return strconv.Itoa(n)
}
