// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

const simulation = "test/simulation"

// A verdict is what became of a mutant.
type verdict string

const (
	broken        verdict = "does not compile" // and so does not count
	caughtByUnit  verdict = "caught by unit tests"
	caughtByWorld verdict = "caught by the simulation"
	survived      verdict = "SURVIVED"
)

// A lab tries mutants: the cheap tests first, then the simulation.
type lab struct {
	seeds uint64
	// limits are how long the tests of each package may take.
	limits map[string]time.Duration
}

// calibrate runs all tests without a mutant: they must pass, and how long they take says when those of a mutant hang.
func (l *lab) calibrate(ctx context.Context) error {
	l.limits = map[string]time.Duration{}
	for _, pkg := range append([]string{simulation}, packages...) {
		l.limits[pkg] = 10 * time.Minute
		began := time.Now()
		out, passed, err := l.test(ctx, pkg, overlay{})
		if err == nil && !passed {
			err = fmt.Errorf("they fail without any mutant:\n%s", out)
		}
		if err != nil {
			return fmt.Errorf("run the tests of %s: %w", pkg, err)
		}
		l.limits[pkg] = 20*time.Second + 5*time.Since(began)
	}
	return nil
}

// test runs the tests of a package, in which the overlay has been built.
func (l *lab) test(ctx context.Context, pkg string, with overlay) (out []byte, passed bool, err error) {
	folder, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		return nil, false, err
	}
	defer os.RemoveAll(folder)
	binary, err := buildTests(ctx, folder, pkg, with)
	if err != nil {
		return nil, false, err
	}
	flags := []string{"-test.short"}
	if pkg == simulation {
		// That a world breaks a promise is enough: nobody reads the smallest one that does.
		flags = append(flags, fmt.Sprintf("-simulation.seeds=%d", l.seeds), "-simulation.shrink=0")
	}
	return runTests(ctx, binary, pkg, l.limits[pkg], flags...)
}

// try finds out what becomes of a mutant.
func (l *lab) try(ctx context.Context, m *mutant) (verdict, error) {
	with := overlay{m.file: m.text()}
	_, passed, err := l.test(ctx, packageOf(m), with)
	switch {
	case errors.Is(err, errBroken):
		return broken, nil
	case err != nil:
		return "", err
	case !passed:
		return caughtByUnit, nil
	}
	_, passed, err = l.test(ctx, simulation, with)
	switch {
	case err != nil:
		return "", err
	case !passed:
		return caughtByWorld, nil
	}
	return survived, nil
}
