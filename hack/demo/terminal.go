// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// The few terminal sequences (ECMA-48) that a table that stays in place needs.
const (
	hideCursor = "\x1b[?25l"
	showCursor = "\x1b[?25h"
	clearDown  = "\x1b[J"
	lineUp     = "\x1b[%dA\r"
)

// showTable redraws the table every second until ctx ends.
func showTable(ctx context.Context, w watcher) error {
	w.print(hideCursor)
	defer w.print(showCursor)
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	drawn := 0
	for {
		now := time.Now()
		states, err := w.states(ctx, now)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if err == nil {
			screen := table(states, now) + "\n" + failures(states) + "Ctrl-C ends it.\n"
			if drawn > 0 {
				w.print(fmt.Sprintf(lineUp, drawn))
			}
			w.print(clearDown + fit(screen))
			drawn = strings.Count(screen, "\n")
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
	}
}

// fit cuts lines that would wrap, as a wrapped line would break the redrawing.
func fit(screen string) string {
	width, _, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil || width < 20 {
		return screen
	}
	lines := strings.Split(screen, "\n")
	for i, line := range lines {
		if runes := []rune(line); len(runes) >= width {
			lines[i] = string(runes[:width-2]) + "…"
		}
	}
	return strings.Join(lines, "\n")
}
