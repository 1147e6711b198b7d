// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// A result is a mutant and its verdict.
type result struct {
	*mutant
	verdict verdict
	took    time.Duration
}

// tryAll tries mutants in order, in parallel, until n of them have compiled. Which ones these are does not depend on the parallelism.
func tryAll(ctx context.Context, order []*mutant, n, jobs int, try func(context.Context, *mutant) (verdict, error), progress io.Writer) ([]result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	var results []result
	next, underway := 0, 0
	freed := sync.NewCond(&mu)
	// take returns the next mutant, as long as those in progress might not be enough.
	take := func() *mutant {
		mu.Lock()
		defer mu.Unlock()
		for len(results)+underway >= n && underway > 0 {
			freed.Wait()
		}
		if ctx.Err() != nil || len(results) >= n || next == len(order) {
			return nil
		}
		underway++
		next++
		return order[next-1]
	}
	var all sync.WaitGroup
	for range jobs {
		all.Go(func() {
			for m := take(); m != nil; m = take() {
				began := time.Now()
				v, err := try(ctx, m)
				mu.Lock()
				underway--
				switch {
				case err != nil:
					cancel(fmt.Errorf("try %s: %w", m, err))
				case v != broken:
					results = append(results, result{m, v, time.Since(began)})
					fmt.Fprintf(progress, "%3d/%d  %5.1fs  %-24s  %s\n", len(results), n, time.Since(began).Seconds(), v, m)
				}
				freed.Broadcast()
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return results, context.Cause(ctx)
}
