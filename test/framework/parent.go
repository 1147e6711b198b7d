// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"
)

// UnderGoRun does a program's work until a signal ends it, or its parent has ended, and leaves nothing of `go run` behind that this could
// not remove any more. The signals are Interrupt, SIGTERM and SIGHUP.
func UnderGoRun(work func(context.Context) error) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	parent := os.Getppid()
	go followParent(ctx, parent, cancel)

	err := work(ctx)
	if os.Getppid() != parent {
		err = errors.Join(err, removeGoRunFolder())
	}
	return err
}

// followParent ends a program with its parent: `go run` does not pass on the signals that kill it.
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

var goRunFolder = regexp.MustCompile(`^(.+/go-build[0-9]+)/b001/exe/[a-z]+$`)

// removeGoRunFolder removes what a killed `go run` could not remove any more: the folder that it has built this program in.
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
