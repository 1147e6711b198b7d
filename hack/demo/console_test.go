// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

func TestDemoEndsWhenNobodyReadsIt(t *testing.T) {
	reader, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	reader.Close()
	err = play(out, func(ctx context.Context, c console) error {
		c.say("Hello")
		return context.Cause(ctx)
	})
	if !errors.Is(err, syscall.EPIPE) {
		t.Errorf("the demo ended with %v", err)
	}
}

// TestDemoGoesOnWhenAConnectionBreaks: writing to a connection whose peer is gone also raises SIGPIPE in a process that listens for it, and the token
// endpoints run in the demo's process.
func TestDemoGoesOnWhenAConnectionBreaks(t *testing.T) {
	err := play(io.Discard, func(ctx context.Context, _ console) error {
		breakAConnection(t)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
			return nil
		}
	})
	if err != nil {
		t.Errorf("the demo ended with %v", err)
	}
}

// breakAConnection returns once a write has failed because the peer is gone.
func breakAConnection(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	client.Close()
	for !errors.Is(err, syscall.EPIPE) {
		if _, err = server.Write([]byte("late")); err != nil && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
			t.Fatal(err)
		}
	}
}
