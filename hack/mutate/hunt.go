package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// sources are what the simulator is built from.
var sources = []string{"go.mod", "go.sum", "api", "controllers", "internal", "test/simulation"}

// A finding is the first world in which a bug broke a promise.
type finding struct {
	seed      uint64
	violation string
}

// hunt puts the bug into a copy of the repository and simulates. Nil: it was not found.
func (b *bug) hunt(ctx context.Context, seeds uint64) (*finding, error) {
	folder, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	for _, source := range sources {
		if err := copyInto(folder, source); err != nil {
			return nil, fmt.Errorf("copy %s: %w", source, err)
		}
	}
	for _, e := range b.edits {
		if err := e.apply(folder); err != nil {
			return nil, err
		}
	}
	binary := filepath.Join(folder, "simulation.test")
	build := exec.CommandContext(ctx, "go", "test", "-c", "-o", binary, "./test/simulation") // #nosec G204 -- a folder of our own
	build.Dir = folder
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build it: %w\n%s", err, out)
	}
	run := exec.CommandContext(ctx, binary, "-test.run", "^TestSeeds$", "-test.timeout", "0", "-simulation.seeds", strconv.FormatUint(seeds, 10)) // #nosec G204 -- it was built here
	run.Dir = filepath.Join(folder, "test", "simulation")
	out, err := run.CombinedOutput()
	exit, failed := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return nil, nil
	case !failed || exit.ExitCode() != 1:
		return nil, fmt.Errorf("run it: %w\n%s", err, out)
	}
	return firstOf(out)
}

// copyInto copies a file, or a folder with all that is in it, into a folder.
func copyInto(folder, source string) error {
	target := filepath.Join(folder, source)
	if info, err := os.Stat(source); err != nil {
		return err
	} else if info.IsDir() {
		return os.CopyFS(target, os.DirFS(source))
	}
	content, err := os.ReadFile(source) // #nosec G304 -- one of our sources
	if err != nil {
		return err
	}
	return os.WriteFile(target, content, 0o600) // #nosec G703 -- a folder of our own
}

func (e *edit) apply(folder string) error {
	name := filepath.Join(folder, e.file)
	text, err := os.ReadFile(name) // #nosec G304 -- one of our sources
	if err != nil {
		return err
	}
	if n := bytes.Count(text, []byte(e.from)); n != 1 {
		return fmt.Errorf("edit %s: it has %d times what is to be replaced, not once: bring hack/mutate/bugs.go up to date:\n%s", e.file, n, e.from)
	}
	return os.WriteFile(name, bytes.Replace(text, []byte(e.from), []byte(e.to), 1), 0o600) // #nosec G703 -- a folder of our own
}

// failure is a line of TestSeeds about a world that broke a promise.
var failure = regexp.MustCompile(`(?m)seed (\d+): (.*)$`)

// firstOf finds the lowest seed that failed.
func firstOf(out []byte) (*finding, error) {
	var first *finding
	for _, match := range failure.FindAllSubmatch(out, -1) {
		seed, err := strconv.ParseUint(string(match[1]), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("read a seed: %w", err)
		}
		if first == nil || seed < first.seed {
			first = &finding{seed, strings.TrimSpace(string(match[2]))}
		}
	}
	if first == nil {
		return nil, fmt.Errorf("the test failed, but of no seed:\n%s", out)
	}
	return first, nil
}
