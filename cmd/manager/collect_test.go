package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

func TestGrowth(t *testing.T) {
	t.Parallel()
	for inUse, want := range map[uint64]int{0: 100, 1 << 20: 100, 8 << 20: 100, 32 << 20: 25, 96 << 20: 15, 1 << 40: 15} {
		if got := growth(inUse); got != want {
			t.Errorf("of %d bytes: %d per cent, want %d", inUse, got, want)
		}
	}
	runtime.GC()
	if inUse() == 0 {
		t.Error("nobody knows how large the heap is")
	}
}

// TestHeapKeeper: what the next collection waits for follows what the last one has left.
func TestHeapKeeper(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- (&heapKeeper{}).Start(ctx) }()
	wait := time.NewTicker(time.Millisecond)
	defer wait.Stop()
	func() {
		load := make([]byte, 256<<20)
		runtime.GC()
		for percent() != leastGrowth {
			<-wait.C
		}
		runtime.KeepAlive(load)
	}()
	for percent() != mostGrowth {
		runtime.GC()
		<-wait.C
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func percent() int {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	return int(sample[0].Value.Uint64())
}
