// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// packages are the packages that are mutated.
var packages = []string{"controllers", "internal/credential", "internal/egress", "internal/flow", "internal/token"}

// allMutants returns the mutants of all packages whose place ("file:line") contains only.
func allMutants(only string) ([]*mutant, error) {
	var all []*mutant
	for _, folder := range packages {
		files, err := filepath.Glob(folder + "/*.go")
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") || withoutTests[file] != "" {
				continue
			}
			source, err := os.ReadFile(file) // #nosec G304 -- one of our sources
			if err != nil {
				return nil, err
			}
			made, err := mutantsOf(file, source)
			if err != nil {
				return nil, err
			}
			for _, m := range made {
				if strings.Contains(fmt.Sprintf("%s:%d", m.file, m.line), only) {
					all = append(all, m)
				}
			}
		}
	}
	return all, nil
}

// shuffled returns the order in which mutants are tried: the same for the same seed and sources.
func shuffled(all []*mutant, seed uint64) []*mutant {
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// packageOf returns the package with the unit tests of a mutant.
func packageOf(m *mutant) string { return path.Dir(m.file) }
