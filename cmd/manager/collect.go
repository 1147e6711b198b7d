package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// room is how much the heap may grow between two collections, in bytes, and leastGrowth and mostGrowth what that may be in per cent of what
// is in use. Go's own 100 would have twice the size of the caches resident, which hardly ever change; a small heap can afford it.
const (
	room        = 24 << 20
	leastGrowth = 25
	mostGrowth  = 100
)

// heapKeeper adjusts when the heap is collected to its size. It is left out where GOGC says what is wanted.
type heapKeeper struct{ every time.Duration }

// Start implements manager.Runnable.
func (k *heapKeeper) Start(ctx context.Context) error {
	ticker := time.NewTicker(k.every)
	defer ticker.Stop()
	for set := 0; ; {
		if want := growth(inUse()); want != set {
			set = want
			debug.SetGCPercent(want)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: a replica that stands by has caches, too.
func (k *heapKeeper) NeedLeaderElection() bool { return false }

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
