// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestReader: each change of a file is reported once, with the time at which it was seen, and without the token.
func TestReader(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	second := 0
	r := &reader{log: &log, last: map[string]string{}, now: func() time.Time { second++; return time.Unix(int64(second), 0) }}
	for range 2 {
		r.look("folder", []byte("secret"), nil)
		r.look("projected", []byte("another"), nil)
	}
	r.look("folder", nil, errors.New("no such file"))
	want := "folder 2bb80d537b1da3e3 1970-01-01T00:00:01Z\nprojected ae448ac86c4e8e4d 1970-01-01T00:00:02Z\nfolder nothing 1970-01-01T00:00:03Z\n"
	if got := log.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
