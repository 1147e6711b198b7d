// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A finding is the first world, or pair of worlds, in which a bug broke a promise.
type finding struct {
	seed      uint64
	violation string
}

// hunt builds the simulation with the bug and runs it. Nil: the bug was not found.
func (b *bug) hunt(ctx context.Context, seeds uint64) (*finding, error) {
	folder, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	with := overlay{}
	for _, e := range b.edits {
		if err := e.apply(with); err != nil {
			return nil, err
		}
	}
	binary, err := buildTests(ctx, folder, simulation, with)
	if err != nil {
		return nil, err
	}
	flags := []string{"-test.run=^TestSeeds$", "-simulation.shrink=0", fmt.Sprintf("-simulation.seeds=%d", b.most(seeds))}
	if b.leaks {
		flags = []string{"-test.run=^TestPairs$", fmt.Sprintf("-simulation.pairs=%d", b.most(seeds))}
	}
	got, err := runTests(ctx, binary, simulation, allowance{cpu: time.Hour, wall: time.Hour}, flags...)
	if got.passed || err != nil {
		return nil, err
	}
	return firstOf(got.out)
}

// most returns the number of worlds, or pairs, within which the bug must be found.
func (b *bug) most(seeds uint64) uint64 {
	if b.leaks {
		return mostPairs
	}
	return seeds
}

// apply applies the edit to a file, on top of earlier edits.
func (e *edit) apply(with overlay) error {
	text, ok := with[e.file]
	if !ok {
		var err error
		if text, err = os.ReadFile(e.file); err != nil {
			return err
		}
	}
	if n := bytes.Count(text, []byte(e.from)); n != 1 {
		return fmt.Errorf("edit %s: it contains %d times, want once, what is to be replaced: update test/mutate/bugs.go:\n%s", e.file, n, e.from)
	}
	with[e.file] = bytes.Replace(text, []byte(e.from), []byte(e.to), 1)
	return nil
}

// mostPairs is the number of pairs of worlds within which a leak must be found.
const mostPairs = 500

// failure matches TestSeeds' line about a world that broke a promise, and TestPairs' line about a pair that differs.
var failure = regexp.MustCompile(`(?m)(?:seed|pair) (\d+): (.*)$`)

// firstOf returns the lowest seed that failed.
func firstOf(out []byte) (*finding, error) {
	var first *finding
	for _, match := range failure.FindAllSubmatch(out, -1) {
		seed, err := strconv.ParseUint(string(match[1]), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("parse a seed: %w", err)
		}
		if first == nil || seed < first.seed {
			first = &finding{seed, strings.TrimSpace(string(match[2]))}
		}
	}
	if first == nil {
		return nil, fmt.Errorf("the test failed, but not because of a seed:\n%s", out)
	}
	return first, nil
}
