package main

import (
	"errors"
	"testing"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
)

// TestLateLog: what is logged, and from where, is the same; nothing is shared by two loggers.
func TestLateLog(t *testing.T) {
	var lines []string
	plain := funcr.NewJSON(func(line string) { lines = append(lines, line) }, funcr.Options{LogCaller: funcr.All, Verbosity: 1})
	for _, log := range []logr.Logger{plain, late(plain)} {
		pass := log.WithName("controller").WithValues("controller", "cdpcredential")
		one, other := pass.WithValues("name", "one"), pass.WithValues("name", "other")
		one.Info("Begin", "attempt", 1)
		one.V(1).Info("Look", "attempt", 2)
		one.V(2).Info("Nobody reads this")
		other.WithName("events").Error(errors.New("refused"), "Failed", "attempt", 3)
	}
	if len(lines) != 6 {
		t.Fatalf("%d lines", len(lines))
	}
	if diff := cmp.Diff(lines[:3], lines[3:]); diff != "" {
		t.Errorf("plain against late:\n%s", diff)
	}
}
