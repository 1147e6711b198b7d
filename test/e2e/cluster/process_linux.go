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

// crew are the cluster's processes. They run until the PID namespace ends; if one ends earlier, the cluster stops.
type crew struct {
	logs string
	die  context.CancelCauseFunc
}

// start starts a process whose log file has its name.
func (c crew) start(ctx context.Context, name string, args ...string) error {
	path := filepath.Join(c.logs, name+".log")
	log, err := os.Create(path) //nolint:gosec // in the folder that the caller named
	if err != nil {
		return fmt.Errorf("create a log file: %w", err)
	}
	defer func() { _ = log.Close() }()             // the process has a copy
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // programs of the cluster
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		_ = cmd.Wait() // its log says more than its exit code
		c.die(fmt.Errorf("%s ended by itself; the end of %s:\n%s", name, path, tail(path)))
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

// wait calls try every 200 ms until it returns nil, for at most two minutes.
func wait(ctx context.Context, what string, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 2*time.Minute, errors.New("timed out after two minutes"))
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
			return fmt.Errorf("wait until %s: %w; the last error: %w", what, context.Cause(ctx), err)
		case <-ticker.C:
		}
	}
}

// command runs a command and waits for it.
func command(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput() //nolint:gosec // programs of the cluster
	if err != nil {
		return fmt.Errorf("run %s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
