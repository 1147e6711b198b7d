// SPDX-License-Identifier: Apache-2.0

// Command mutate puts bugs into copies of the operator, one at a time, and checks whether the tests find them. Run it at the root of the repository:
//
// go run ./test/mutate [-n 150] [-seed 1] [-only internal/credential/decide.go] [-list]
// go run ./test/mutate -planted [-only NAME]
//
// The first form generates mutants of controllers and some internal packages, runs the unit tests of their package and, if they pass, a short
// simulation, and lists the mutants that nothing caught. The same seed gives the same mutants of the same sources. The exit status is 0 only if the
// share that was caught is at least -least.
//
// The second form plants the bugs of bugs.go. The simulator must find each of them: leaks in its pairs of worlds, others in its seeds.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"time"
)

type options struct {
	planted, list bool
	n, jobs       int
	seed, seeds   uint64
	least         float64
	only          string
}

func main() {
	var o options
	flag.IntVar(&o.n, "n", 150, "number of mutants that compile to try")
	flag.Uint64Var(&o.seed, "seed", 1, "which ones")
	flag.StringVar(&o.only, "only", "", "only mutants whose place (file:line), or planted bugs whose name, contains this")
	flag.Uint64Var(&o.seeds, "seeds", 300, "how many worlds a mutant may hide in; a planted bug may in 1000 at least")
	flag.Float64Var(&o.least, "least", 85, "the least share of the mutants, in percent, that must be caught")
	flag.IntVar(&o.jobs, "jobs", runtime.NumCPU(), "number of mutants to try in parallel")
	flag.BoolVar(&o.list, "list", false, "list all mutants and try none")
	flag.BoolVar(&o.planted, "planted", false, "plant the handmade bugs, and run only the simulator")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	run := mutate
	if o.planted {
		run = plant
	}
	if err := run(ctx, &o); err != nil {
		fmt.Fprintf(os.Stderr, "mutate: %v\n", err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}

func mutate(ctx context.Context, o *options) error {
	all, err := allMutants(o.only)
	if err != nil {
		return err
	}
	if o.list {
		for _, m := range all {
			fmt.Printf("%s\n%s\n", m, m.diff())
		}
		fmt.Printf("%d mutants\n", len(all))
		return nil
	}
	began := time.Now()
	l := &lab{seeds: o.seeds}
	if err := l.calibrate(ctx); err != nil {
		return err
	}
	fmt.Printf("mutate: %d of %d mutants, seed %d; the tests pass without any, after %s\n", min(o.n, len(all)), len(all), o.seed, time.Since(began).Round(time.Second))
	results, err := tryAll(ctx, shuffled(all, o.seed), o.n, o.jobs, l.try, os.Stdout)
	report(os.Stdout, results)
	fmt.Printf("mutate: took %s\n", time.Since(began).Round(time.Second))
	if err == nil && share(results) < o.least {
		err = fmt.Errorf("less than %g %% were caught: write a test for a survivor that matters", o.least)
	}
	return err
}

func plant(ctx context.Context, o *options) error {
	hidden := false
	seeds := max(o.seeds, 1000)
	for _, b := range bugs {
		if !strings.Contains(b.name, o.only) {
			continue
		}
		found, err := b.hunt(ctx, seeds)
		if err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
		if found == nil {
			hidden = true
			fmt.Printf("NOT FOUND  %s: in %d worlds\n", b.name, b.most(seeds))
			continue
		}
		fmt.Printf("found      %s: at seed or pair %d: %s\n", b.name, found.seed, found.violation)
	}
	if hidden {
		return errors.New("the simulator missed a bug")
	}
	return nil
}
