// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"time"
)

// writeTrace writes a log of what happened when, for the analysis of violations. It contains no token.
func (e *evidence) writeTrace(path string, members []*member) error {
	type line struct {
		at   time.Time
		text string
	}
	var lines []line
	add := func(at time.Time, format string, args ...any) {
		lines = append(lines, line{at, fmt.Sprintf(format, args...)})
	}
	for _, b := range e.general {
		add(b.from, "%s for %s", b.why, b.to.Sub(b.from).Round(time.Millisecond))
	}
	for _, end := range e.replicas.ends {
		add(end.at, "operator: %s", end.how)
	}
	for _, m := range members {
		for _, a := range e.attempts[m.client.ID] {
			add(a.at, "%s calls %s: %s", m, a.endpoint, a.fault)
		}
		for _, t := range e.tokens[m.client.ID] {
			add(t.Issued, "%s gets a token for %s", m, t.Expires.Sub(t.Issued).Round(time.Millisecond))
		}
		for _, s := range e.watcher.showings(m.namespace, m.target()) {
			add(s.at, "%s shows a token", m)
		}
		for _, c := range e.users.changes[m] {
			add(c.at, "%s: %s", m, c.what)
		}
	}
	for _, b := range e.consumer.breakages {
		add(b.since, "%s broken: %s", b.member, b.what)
		add(b.repaired, "%s repaired: %s", b.member, b.what)
	}
	slices.SortStableFunc(lines, func(a, b line) int { return a.at.Compare(b.at) })
	var out bytes.Buffer
	for _, l := range lines {
		fmt.Fprintf(&out, "%s %s\n", clockTime(l.at), l.text)
	}
	return os.WriteFile(path, out.Bytes(), 0o600)
}
