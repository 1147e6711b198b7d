// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"
)

// The terminal sequences (ECMA-48) for redrawing a table in place.
const (
	hideCursor  = "\x1b[?25l"
	showCursor  = "\x1b[?25h"
	clearDown   = "\x1b[J"
	clearScreen = "\x1b[H\x1b[2J"
	lineUp      = "\x1b[%dA\r"
)

// showTable redraws the table every second, and when the terminal is resized, until ctx ends.
func showTable(ctx context.Context, w *watcher) error {
	w.print(hideCursor)
	defer w.print(showCursor)
	resized := make(chan os.Signal, 1)
	signal.Notify(resized, syscall.SIGWINCH)
	defer signal.Stop(resized)
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
			screen := w.screen(states, now)
			if drawn > 0 {
				w.print(fmt.Sprintf(lineUp, drawn))
			}
			w.print(clearDown + screen)
			drawn = strings.Count(screen, "\n")
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-resized: // lines may wrap differently now, so everything is redrawn
			w.print(clearScreen + w.invitation + "\n\n")
			drawn = 0
		case <-ticker.C:
		}
	}
}

// screen returns the part that is redrawn. It is never higher than the terminal, because it could not be overwritten then.
func (w *watcher) screen(states []state, now time.Time) string {
	width, height, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil || width < 20 || height < 4 {
		width, height = 80, 1000
	}
	colour := os.Getenv("NO_COLOR") == ""
	lines := strings.Split(strings.TrimSuffix(table(states, now, width, colour), "\n"), "\n")
	lines = append(lines, "")
	if on := w.faults.Load(); on != nil {
		lines = append(lines, on.describe(width)...)
	}
	lines = append(lines, failures(states, width, colour)...)
	if room := height - 2; len(lines) > room {
		lines = append(lines[:room-1], "… (enlarge the window to see the rest)")
	}
	return strings.Join(append(lines, "Ctrl-C ends it."), "\n") + "\n"
}
