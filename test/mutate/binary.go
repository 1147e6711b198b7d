// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
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
	out, err := build.CombinedOutput()
	if _, failed := errors.AsType[*exec.ExitError](err); failed && ctx.Err() == nil {
		return "", fmt.Errorf("%w:\n%s", errBroken, out)
	}
	return binary, err
}

// runTests runs them in the folder of their package, and returns what they say and whether they passed. What takes too long fails.
func runTests(ctx context.Context, binary, pkg string, limit time.Duration, flags ...string) (out []byte, passed bool, err error) {
	flags = append([]string{"-test.failfast", "-test.timeout", limit.String()}, flags...)
	// A mutant that never stops allocating is not to take the machine's memory: it dies of this limit (8 GiB of addresses).
	script := append([]string{"-c", `ulimit -v 8388608; exec "$0" "$@"`, binary}, flags...)
	bounded, cancel := context.WithTimeout(ctx, limit+10*time.Second)
	defer cancel()
	run := exec.CommandContext(bounded, "sh", script...) // #nosec G204 -- it was built here
	run.Dir = pkg
	run.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // to end what it starts, too
	run.Cancel = func() error { return syscall.Kill(-run.Process.Pid, syscall.SIGKILL) }
	run.WaitDelay = 5 * time.Second
	out, err = run.CombinedOutput()
	switch _, failed := errors.AsType[*exec.ExitError](err); {
	case ctx.Err() != nil:
		return out, false, ctx.Err()
	case err == nil:
		return out, true, nil
	case failed || bounded.Err() != nil:
		return out, false, nil
	}
	return out, false, err
}
