// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// numbered returns mutants that differ by their line.
func numbered(n int) []*mutant {
	var out []*mutant
	for i := range n {
		out = append(out, &mutant{file: "p/p.go", line: i, operator: negation, source: []byte("x")})
	}
	return out
}

// TestTryAllTakesTheFirstThatCompile: every third mutant does not compile. The same ones are tried whatever the parallelism.
func TestTryAllTakesTheFirstThatCompile(t *testing.T) {
	try := func(_ context.Context, m *mutant) (verdict, error) {
		if m.line%3 == 0 {
			return broken, nil
		}
		return survived, nil
	}
	for _, tc := range []struct {
		there, n, jobs int
		want           []int
	}{
		{20, 4, 1, []int{1, 2, 4, 5}},
		{20, 4, 7, []int{1, 2, 4, 5}},
		{5, 10, 2, []int{1, 2, 4}},
		{1, 1, 2, nil},
	} {
		t.Run(fmt.Sprintf("%+v", tc), func(t *testing.T) {
			results, err := tryAll(t.Context(), numbered(tc.there), tc.n, tc.jobs, try, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			var got []int
			for _, r := range results {
				got = append(got, r.line)
			}
			slices.Sort(got)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTryAllStopsAtAnError(t *testing.T) {
	failed := errors.New("no space left")
	tried := 0
	_, err := tryAll(t.Context(), numbered(20), 20, 1, func(context.Context, *mutant) (verdict, error) { tried++; return "", failed }, io.Discard)
	if !errors.Is(err, failed) || tried != 1 {
		t.Errorf("error %v after %d mutants", err, tried)
	}
}

func TestShuffledDependsOnTheSeedOnly(t *testing.T) {
	lines := func(seed uint64) (out []int) {
		for _, m := range shuffled(numbered(100), seed) {
			out = append(out, m.line)
		}
		return out
	}
	if !slices.Equal(lines(1), lines(1)) || slices.Equal(lines(1), lines(2)) {
		t.Error("the order is not that of the seed")
	}
}

func TestReportListsSurvivors(t *testing.T) {
	source := []byte("if a < b {\n")
	at := func(line int, v verdict) result {
		return result{mutant: &mutant{file: "p/p.go", line: line, operator: boundary, start: 5, end: 6, with: "<=", source: source}, verdict: v}
	}
	var out bytes.Buffer
	report(&out, []result{at(3, survived), at(1, caughtByUnit), at(2, caughtByWorld), at(4, caughtByUnit)})
	want := `
p/p.go:3: boundary
- if a < b {
+ if a <= b {

  boundary          75.0 % of 4
  p                 75.0 % of 4
4 mutants: 2 caught by unit tests, 1 by the simulation, 1 survived; 75.0 % caught
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

// TestFilesAndFunctionsThatAreNamedExist: named files and packages must exist; a renamed file would be mutated again, and a renamed package no more.
func TestFilesAndFunctionsThatAreNamedExist(t *testing.T) {
	t.Chdir("../..")
	for file := range withoutTests {
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
	}
	all, err := allMutants("")
	if err != nil {
		t.Fatal(err)
	}
	for _, pkg := range append([]string{simulation, gatePackage}, packages...) {
		if files, _ := filepath.Glob(pkg + "/*_test.go"); len(files) == 0 {
			t.Errorf("%s has no tests", pkg)
		}
		if pkg != simulation && !slices.ContainsFunc(all, func(m *mutant) bool { return packageOf(m) == pkg }) {
			t.Errorf("%s has no mutants", pkg)
		}
	}
}

// TestPlantedBugsApply: the handmade bugs fit the current sources.
func TestPlantedBugsApply(t *testing.T) {
	t.Chdir("../..")
	for _, b := range bugs {
		with := overlay{}
		for _, e := range b.edits {
			if err := e.apply(with); err != nil {
				t.Errorf("%s: %v", b.name, err)
			}
		}
	}
}

// TestBuildAndRunWithAnOverlay uses a package of its own, whose test passes, fails, or never ends with a mutant.
func TestBuildAndRunWithAnOverlay(t *testing.T) {
	if testing.Short() {
		t.Skip("builds packages")
	}
	folder := t.TempDir()
	t.Chdir(folder)
	for name, text := range map[string]string{
		"go.mod":      "module example.com/m\n\ngo 1.25\n",
		"p/p.go":      "package p\n\nfunc twice(n int) int { return 2 * n }\n",
		"p/p_test.go": "package p\n\nimport \"testing\"\n\nfunc TestTwice(t *testing.T) {\n\tif twice(2) != 4 {\n\t\tt.Fatal()\n\t}\n}\n",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	enough := allowance{cpu: time.Minute, wall: time.Minute}
	for _, tc := range []struct {
		name, text string
		limit      allowance
		passes     bool
		err        error
	}{
		{"the original", "package p\n\nfunc twice(n int) int { return 2 * n }\n", enough, true, nil},
		{"a survivor", "package p\n\nfunc twice(n int) int { return n + 2 }\n", enough, true, nil},
		{"one that is caught", "package p\n\nfunc twice(n int) int { return 2 / n }\n", enough, false, nil},
		{"one that spins", "package p\n\nfunc twice(n int) int { for { n++ } }\n", allowance{time.Second, time.Hour}, false, nil},
		{"one that waits for ever", "package p\n\nimport \"time\"\n\nfunc twice(n int) int { time.Sleep(time.Hour); return n }\n", allowance{time.Hour, time.Second}, false, nil},
		{"one that eats memory", "package p\n\nvar all [][]byte\n\nfunc twice(n int) int { for { all = append(all, make([]byte, 1<<30)) } }\n", enough, false, nil},
		{"one that does not compile", "package p\n\nfunc twice(n int) int { return \"\" }\n", enough, false, errBroken},
	} {
		t.Run(tc.name, func(t *testing.T) {
			binary, err := buildTests(t.Context(), t.TempDir(), "p", overlay{"p/p.go": []byte(tc.text)})
			if !errors.Is(err, tc.err) || tc.err == nil && err != nil {
				t.Fatal(err)
			}
			if tc.err != nil {
				return
			}
			got, err := runTests(t.Context(), binary, "p", tc.limit)
			if err != nil || got.passed != tc.passes {
				t.Errorf("passed: %t, %v\n%s", got.passed, err, got.out)
			}
		})
	}
}
