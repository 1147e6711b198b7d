// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// read reads files fifty times a second, each given as NAME=PATH, and reports when one of them has another token: NAME HASH TIME.
func read(ctx context.Context, args []string) error {
	r := &reader{log: os.Stdout, now: time.Now, last: map[string]string{}}
	for _, arg := range args {
		if !strings.Contains(arg, "=") {
			return fmt.Errorf("want NAME=PATH, not %q", arg)
		}
	}
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		for _, arg := range args {
			name, path, _ := strings.Cut(arg, "=")
			token, err := os.ReadFile(path) //nolint:gosec // what the caller wants to be read
			r.look(name, token, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// reader reports changes.
type reader struct {
	log  io.Writer
	now  func() time.Time
	last map[string]string
}

func (r *reader) look(name string, token []byte, err error) {
	seen := ""
	if err == nil {
		seen = hash(token)
	}
	if seen == r.last[name] {
		return
	}
	r.last[name] = seen
	if seen == "" {
		seen = "nothing"
	}
	_, _ = fmt.Fprintf(r.log, "%s %s %s\n", name, seen, r.now().UTC().Format(time.RFC3339Nano))
}

// hash identifies a token where it must not be shown.
func hash(token []byte) string {
	sum := sha256.Sum256(token)
	return hex.EncodeToString(sum[:8])
}
