// Command mutate puts bugs into a copy of the operator, one at a time, and has the simulator look for each: a simulator that would not
// notice them is worth nothing. Run it at the root of the repository:
//
//	go run ./hack/mutate [-seeds 1000] [-only NAME]
//
// The exit status is 0 only if every bug was found within that many seeds.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
)

func main() {
	seeds := flag.Uint64("seeds", 1000, "how many worlds a bug may hide in")
	only := flag.String("only", "", "put in the bugs only whose name has this in it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	hidden := 0
	for _, b := range bugs {
		if !strings.Contains(b.name, *only) {
			continue
		}
		found, err := b.hunt(ctx, *seeds)
		if err != nil {
			fmt.Fprintf(os.Stderr, "mutate: %s: %v\n", b.name, err)
			os.Exit(1) //nolint:gocritic // nothing is left to stop
		}
		if found == nil {
			hidden++
			fmt.Printf("NOT FOUND  %s: in %d seeds\n", b.name, *seeds)
			continue
		}
		fmt.Printf("found      %s: at seed %d: %s\n", b.name, found.seed, found.violation)
	}
	if hidden > 0 {
		os.Exit(1)
	}
}
