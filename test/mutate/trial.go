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

// A verdict is the result of a mutant.
type verdict string

const (
	broken        verdict = "does not compile" // does not count
	caughtByUnit  verdict = "caught by unit tests"
	caughtByWorld verdict = "caught by the simulation"
	survived      verdict = "SURVIVED"
)

// A lab tries mutants: with cheap tests first, then with the simulation.
type lab struct {
	seeds uint64
	// limits are how long the tests of each stage may take.
	limits map[stage]allowance
}

// A stage is a part of the tests of a package.
type stage struct{ pkg, flag string }

// importers are other packages whose unit tests also test a package, because they use most of it.
var importers = map[string][]string{
	"internal/credential": {"controllers"},
	"internal/egress":     {"internal/credential"},
	"internal/flow":       {"internal/credential"},
	"internal/token":      {"internal/credential"},
}

// Two tests of the simulation take longer than all others together. They concern the gate, so they run only for mutants of it.
var (
	worlds     = stage{simulation, "-test.skip=" + gateWorldsOnly}
	gateWorlds = stage{simulation, "-test.run=" + gateWorldsOnly}
)

const (
	gateWorldsOnly = "^(TestIsolation|TestHerd)$"
	gatePackage    = "internal/egress"
)

// calibrate runs all tests without a mutant: they must pass, and how long they take determines when those of a mutant count as hanging.
func (l *lab) calibrate(ctx context.Context) error {
	l.limits = map[stage]allowance{}
	for _, pkg := range packages {
		if err := l.calibrateStages(ctx, stage{pkg: pkg}); err != nil {
			return err
		}
	}
	return l.calibrateStages(ctx, worlds, gateWorlds)
}

func (l *lab) calibrateStages(ctx context.Context, stages ...stage) error {
	for _, s := range stages {
		l.limits[s] = allowance{cpu: 10 * time.Minute, wall: time.Hour}
	}
	build, err := l.build(ctx, stages[0].pkg, overlay{})
	if err != nil {
		return fmt.Errorf("build the tests of %s: %w", stages[0].pkg, err)
	}
	defer build.remove()
	for _, s := range stages {
		got, err := l.run(ctx, build, s)
		if err == nil && !got.passed {
			err = fmt.Errorf("the tests fail without a mutant:\n%s", got.out)
		}
		if err != nil {
			return fmt.Errorf("run the tests of %s: %w", s.pkg, err)
		}
		l.limits[s] = allowance{cpu: 10*time.Second + 4*got.cpu, wall: 5*time.Minute + 20*got.cpu}
	}
	return nil
}

// A testBinary is the compiled tests of a package, in a folder of its own.
type testBinary struct{ folder, file string }

func (b testBinary) remove() { _ = os.RemoveAll(b.folder) }

func (l *lab) build(ctx context.Context, pkg string, with overlay) (testBinary, error) {
	folder, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		return testBinary{}, err
	}
	b := testBinary{folder: folder}
	if b.file, err = buildTests(ctx, folder, pkg, with); err != nil {
		b.remove()
	}
	return b, err
}

func (l *lab) run(ctx context.Context, b testBinary, s stage) (outcome, error) {
	flags := []string{"-test.short"}
	if s.pkg == simulation {
		// A broken promise is enough; nobody reads the shrunk world.
		flags = append(flags, fmt.Sprintf("-simulation.seeds=%d", l.seeds), "-simulation.shrink=0")
	}
	if s.flag != "" {
		flags = append(flags, s.flag)
	}
	return runTests(ctx, b.file, s.pkg, l.limits[s], flags...)
}

// passes reports whether a mutant passes all the stages, which are of one package.
func (l *lab) passes(ctx context.Context, m *mutant, stages ...stage) (bool, error) {
	build, err := l.build(ctx, stages[0].pkg, overlay{m.file: m.text()})
	if err != nil {
		return false, err
	}
	defer build.remove()
	for _, s := range stages {
		if got, err := l.run(ctx, build, s); err != nil || !got.passed {
			return false, err
		}
	}
	return true, nil
}

// try returns the verdict of a mutant.
func (l *lab) try(ctx context.Context, m *mutant) (verdict, error) {
	for _, pkg := range append([]string{packageOf(m)}, importers[packageOf(m)]...) {
		switch passed, err := l.passes(ctx, m, stage{pkg: pkg}); {
		case errors.Is(err, errBroken):
			return broken, nil
		case err != nil:
			return "", err
		case !passed:
			return caughtByUnit, nil
		}
	}
	stages := []stage{worlds}
	if packageOf(m) == gatePackage {
		stages = append(stages, gateWorlds)
	}
	switch passed, err := l.passes(ctx, m, stages...); {
	case err != nil:
		return "", err
	case !passed:
		return caughtByWorld, nil
	}
	return survived, nil
}
