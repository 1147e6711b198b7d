package main

import (
	"runtime"
	"testing"
)

func TestGrowth(t *testing.T) {
	t.Parallel()
	for inUse, want := range map[uint64]int{0: 100, 1 << 20: 100, 24 << 20: 100, 48 << 20: 50, 96 << 20: 25, 1 << 40: 25} {
		if got := growth(inUse); got != want {
			t.Errorf("of %d bytes: %d per cent, want %d", inUse, got, want)
		}
	}
	runtime.GC()
	if inUse() == 0 {
		t.Error("nobody knows how large the heap is")
	}
}
