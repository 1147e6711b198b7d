package main

import (
	"context"
	"errors"
	"os"
	"regexp"
	"time"
)

// followParent ends the demo with its parent: `go run` does not pass on the signals that kill it.
func followParent(ctx context.Context, parent int, cancel context.CancelCauseFunc) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if os.Getppid() != parent {
				cancel(errors.New("the parent process has ended"))
				return
			}
		}
	}
}

var goRunFolder = regexp.MustCompile(`^(.+/go-build[0-9]+)/b001/exe/demo$`)

// removeGoRunFolder removes what a killed `go run` could not remove any more: the folder that it has built the demo in.
func removeGoRunFolder() error {
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	if found := goRunFolder.FindStringSubmatch(executable); found != nil {
		return os.RemoveAll(found[1])
	}
	return nil
}
