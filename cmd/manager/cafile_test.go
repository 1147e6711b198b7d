// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"
)

func TestCAFileIsReadAgainWhenItChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ca.crt")
	var trusted []string
	var logged []string
	file := &caFile{
		path: path,
		trust: func(bundle []byte) error {
			if string(bundle) == "bad" {
				return errors.New("it is not complete PEM")
			}
			trusted = append(trusted, string(bundle))
			return nil
		},
		log: funcr.New(func(_, args string) { logged = append(logged, args) }, funcr.Options{}),
	}
	if _, err := file.load(); err == nil || !strings.Contains(err.Error(), "--ca-file") || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("%v, want an error with the flag and the cause", err)
	}
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("bad")
	if _, err := file.load(); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("%v, want an error with the file", err)
	}
	write("one")
	if _, err := file.load(); err != nil {
		t.Fatal(err)
	}
	file.look() // nothing has changed
	write("bad")
	file.look()
	file.look() // logged only once
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	file.look()
	write("two")
	file.look()
	file.look()
	if got := strings.Join(trusted, ","); got != "one,two" {
		t.Errorf("trusted %s", got)
	}
	if len(logged) != 3 || !strings.Contains(logged[0], "not complete PEM") || !strings.Contains(logged[1], "no such file") || !strings.Contains(logged[2], "in use") {
		t.Errorf("logged %q", logged)
	}
}

// TestRunFailsOnUnreadableCAFileBeforeItConnects: an unreadable file ends the process before it connects to the cluster.
func TestRunFailsOnUnreadableCAFileBeforeItConnects(t *testing.T) {
	opts, err := parseFlags([]string{"--ca-file=/nowhere/ca.crt"})
	if err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), opts); err == nil || !strings.Contains(err.Error(), "--ca-file: open /nowhere/ca.crt") {
		t.Errorf("%v", err)
	}
}
