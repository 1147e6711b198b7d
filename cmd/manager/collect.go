package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// room is how much the heap may grow between two collections, in bytes, and leastGrowth and mostGrowth what that may be in per cent of what
// is in use. Go's own 100 would have twice the size of the caches resident, which hardly ever change; a small heap can afford it.
const (
	room        = 8 << 20
	leastGrowth = 15
	mostGrowth  = 100
)

// heapKeeper adjusts after each collection of the heap when the next one is, to what is in use then. It is left out where GOGC says what is
// wanted.
type heapKeeper struct{}

// Start implements manager.Runnable.
func (*heapKeeper) Start(ctx context.Context) error {
	collected := make(chan struct{}, 1)
	ended := make(chan struct{})
	defer close(ended)
	watchCollections(collected, ended)
	for set := 0; ; {
		if want := growth(inUse()); want != set {
			set = want
			debug.SetGCPercent(want)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-collected:
		}
	}
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: a replica that stands by has caches, too.
func (*heapKeeper) NeedLeaderElection() bool { return false }

// A sentinel is garbage from the beginning: that it is cleaned up tells of a collection. It is larger than what the allocator packs together.
type sentinel [16]uintptr

// watchCollections tells of each collection until ended is closed; one that nobody has heard of yet is not told twice.
func watchCollections(collected chan<- struct{}, ended <-chan struct{}) {
	runtime.AddCleanup(new(sentinel), func(struct{}) {
		select {
		case <-ended:
			return
		case collected <- struct{}{}:
		default:
		}
		watchCollections(collected, ended)
	}, struct{}{})
}

// inUse is what the last collection left, in bytes.
func inUse() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// growth is by how many per cent a heap may grow until it is collected.
func growth(inUse uint64) int {
	if inUse == 0 {
		return mostGrowth
	}
	return int(min(max(room*100/inUse, leastGrowth), mostGrowth))
}
