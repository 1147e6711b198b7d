// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// The colours of good and bad states (ECMA-48, SGR).
const (
	green  = "\x1b[32m"
	red    = "\x1b[31m"
	yellow = "\x1b[33m"
	plain  = "\x1b[0m"
)

// table formats states, one line each below a header, cut to a width. Zero: not cut.
func table(states []state, now time.Time, width int, colour bool) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { _, _ = fmt.Fprintln(w, strings.Join(cells, "\t")) }
	row("CREDENTIAL", "PROVIDER", "READY", "EXPIRES IN", "NEXT REFRESH", "REFRESHES")
	for _, s := range states {
		row(s.name, s.provider, yesNo(s.ready), until(s.expires, now), until(s.next, now), count(s.refreshes))
	}
	_ = w.Flush()
	lines := strings.Split(b.String(), "\n")
	ready := strings.Index(lines[0], "READY")
	for i, line := range lines {
		line = cut(line, width)
		if row := i - 1; colour && row >= 0 && row < len(states) {
			line = paintReady(line, ready, states[row].ready)
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n")
}

// paintReady colours the word in the column READY. Names are ASCII, so a column is an offset in bytes.
func paintReady(line string, column int, ready bool) string {
	end := column + len(yesNo(ready))
	if len(line) < end {
		return line
	}
	colour := red
	if ready {
		colour = green
	}
	return line[:column] + colour + line[column:end] + plain + line[end:]
}

// failures lists why credentials are unhealthy, wrapped to a width.
func failures(states []state, width int, colour bool) []string {
	var lines []string
	for _, s := range states {
		if s.failure == "" {
			continue
		}
		for _, line := range wrap(s.name+": "+s.failure, width, "  ") {
			if colour {
				line = yellow + line + plain
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// cut shortens a line that the terminal would wrap, which would break redrawing. Zero: any length is fine.
func cut(line string, width int) string {
	if runes := []rune(line); width > 0 && len(runes) >= width {
		return string(runes[:width-2]) + "…"
	}
	return line
}

// wrap breaks a text between words into lines that are shorter than width; all but the first are indented. A word that is too long is not broken.
func wrap(text string, width int, indent string) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case len([]rune(line))+1+len([]rune(word)) < width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = indent + word
		}
	}
	return append(lines, line)
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

// until returns the time until t; "-" if t is zero.
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
