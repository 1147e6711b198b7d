// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
)

// endKeys are the keys that end the demo: Ctrl-C, Ctrl-D, Ctrl-\ and q.
const endKeys = "\x03\x04\x1cq"

var errKeyPressed = errors.New("a key was pressed that ends the demo")

// endOnKey reads Ctrl-C as an ordinary key, and cancels the demo when an end key is pressed. As a signal, Ctrl-C would also reach make, which would
// report an error for a demo that ended well. restore restores the terminal. If the terminal cannot be changed, Ctrl-C remains a signal.
func endOnKey(ctx context.Context, cancel context.CancelCauseFunc) (restore func()) {
	before, err := stty(ctx, "-g")
	if err != nil {
		return func() {}
	}
	if _, err := stty(ctx, "-isig", "-icanon", "-echo"); err != nil {
		return func() {}
	}
	go func() {
		key := make([]byte, 1)
		for {
			if _, err := os.Stdin.Read(key); err != nil || strings.Contains(endKeys, string(key)) {
				cancel(errKeyPressed)
				return
			}
		}
	}()
	return func() { _, _ = stty(context.WithoutCancel(ctx), before) }
}

func stty(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "stty", args...) //nolint:gosec // the arguments are ours, or printed by stty itself
	cmd.Stdin = os.Stdin
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}
