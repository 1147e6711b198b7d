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
	"syscall"
	"time"
)

// errBroken reports that something does not compile.
var errBroken = errors.New("it does not compile")

// buildTests compiles the tests of a package with an overlay into a folder, once for all runs.
func buildTests(ctx context.Context, folder, pkg string, with overlay) (string, error) {
	list, err := with.write(folder)
	if err != nil {
		return "", err
	}
	binary := filepath.Join(folder, strings.ReplaceAll(pkg, "/", "-")+".test")
	// It links faster without a symbol table.
	build := exec.CommandContext(ctx, "go", "test", "-c", "-overlay", list, "-ldflags", "-s -w", "-o", binary, "./"+pkg) // #nosec G204 -- a package of ours
	build.Env = append(os.Environ(), "GOGC=400")                                                                         // a third less CPU time
	out, err := build.CombinedOutput()
	if _, failed := errors.AsType[*exec.ExitError](err); failed && ctx.Err() == nil {
		return "", fmt.Errorf("%w:\n%s", errBroken, out)
	}
	return binary, err
}

// An allowance is how long tests may run: in CPU time, which other load on the machine does not affect, and in elapsed time, for tests that wait
// forever.
type allowance struct{ cpu, wall time.Duration }

// An outcome is the result of a run of tests.
type outcome struct {
	out    []byte
	passed bool
	cpu    time.Duration
}

// runTests runs the tests in the folder of their package until the first one fails. Exceeding the limit is a failure.
func runTests(ctx context.Context, binary, pkg string, limit allowance, flags ...string) (outcome, error) {
	flags = append([]string{"-test.failfast", "-test.timeout", limit.wall.String()}, flags...)
	// A mutant that never stops allocating must not use up the machine's memory: this limits it to 8 GiB of addresses.
	script := fmt.Sprintf(`ulimit -v 8388608; ulimit -t %.0f; exec "$0" "$@"`, max(1, limit.cpu.Seconds()))
	bounded, cancel := context.WithTimeout(ctx, limit.wall+10*time.Second)
	defer cancel()
	run := exec.CommandContext(bounded, "sh", append([]string{"-c", script, binary}, flags...)...) // #nosec G204 -- it was built here
	run.Dir = pkg
	run.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that its children can be stopped, too
	run.Cancel = func() error { return syscall.Kill(-run.Process.Pid, syscall.SIGKILL) }
	run.WaitDelay = 5 * time.Second
	out, err := run.CombinedOutput()
	result := outcome{out: out}
	if run.ProcessState != nil {
		result.cpu = run.ProcessState.UserTime() + run.ProcessState.SystemTime()
	}
	switch _, failed := errors.AsType[*exec.ExitError](err); {
	case ctx.Err() != nil:
		return result, ctx.Err()
	case err == nil:
		result.passed = true
		return result, nil
	case failed || bounded.Err() != nil:
		return result, nil
	}
	return result, err
}
