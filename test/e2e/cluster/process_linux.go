// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// crew are the cluster's processes. They run until the namespace of processes ends; one that ends before ends the play.
type crew struct {
	logs string
	die  context.CancelCauseFunc
}

// start starts a process whose log has its name.
func (c crew) start(ctx context.Context, name string, args ...string) error {
	path := filepath.Join(c.logs, name+".log")
	log, err := os.Create(path) //nolint:gosec // in the folder that the caller named
	if err != nil {
		return fmt.Errorf("make a log: %w", err)
	}
	defer func() { _ = log.Close() }()             // the process has its own
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // programs of the cluster
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		_ = cmd.Wait() // its log says more than its exit code
		c.die(fmt.Errorf("%s has ended by itself; the end of %s:\n%s", name, path, tail(path)))
	}()
	return nil
}

func tail(path string) string {
	content, err := os.ReadFile(path) //nolint:gosec // a log of ours
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(lines[max(0, len(lines)-15):], "\n")
}

// wait tries every 200 ms until there is no error, for two minutes at most.
func wait(ctx context.Context, what string, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 2*time.Minute, errors.New("two minutes are over"))
	defer cancel()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until %s: %w; the last answer: %w", what, context.Cause(ctx), err)
		case <-ticker.C:
		}
	}
}

// command runs a command to its end.
func command(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput() //nolint:gosec // programs of the cluster
	if err != nil {
		return fmt.Errorf("run %s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
