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

// errBroken says that something does not compile.
var errBroken = errors.New("it does not compile")

// buildTests compiles the tests of a package with an overlay into a folder, once for all runs.
func buildTests(ctx context.Context, folder, pkg string, with overlay) (string, error) {
	list, err := with.write(folder)
	if err != nil {
		return "", err
	}
	binary := filepath.Join(folder, strings.ReplaceAll(pkg, "/", "-")+".test")
	// Without the symbol table it is linked sooner.
	build := exec.CommandContext(ctx, "go", "test", "-c", "-overlay", list, "-ldflags", "-s -w", "-o", binary, "./"+pkg) // #nosec G204 -- a package of ours
	build.Env = append(os.Environ(), "GOGC=400")                                                                         // a third less CPU time
	out, err := build.CombinedOutput()
	if _, failed := errors.AsType[*exec.ExitError](err); failed && ctx.Err() == nil {
		return "", fmt.Errorf("%w:\n%s", errBroken, out)
	}
	return binary, err
}

// An allowance is how long tests may run: of the processor's time, which other load on the machine does not change, and of the clock's, for those
// that wait for ever.
type allowance struct{ cpu, wall time.Duration }

// An outcome is what became of a run of tests.
type outcome struct {
	out    []byte
	passed bool
	cpu    time.Duration
}

// runTests runs them in the folder of their package until the first one fails. What takes too long fails.
func runTests(ctx context.Context, binary, pkg string, limit allowance, flags ...string) (outcome, error) {
	flags = append([]string{"-test.failfast", "-test.timeout", limit.wall.String()}, flags...)
	// A mutant that never stops allocating must not take the machine's memory: it dies of this limit (8 GiB of addresses).
	script := fmt.Sprintf(`ulimit -v 8388608; ulimit -t %.0f; exec "$0" "$@"`, max(1, limit.cpu.Seconds()))
	bounded, cancel := context.WithTimeout(ctx, limit.wall+10*time.Second)
	defer cancel()
	run := exec.CommandContext(bounded, "sh", append([]string{"-c", script, binary}, flags...)...) // #nosec G204 -- it was built here
	run.Dir = pkg
	run.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // to end what it starts, too
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
