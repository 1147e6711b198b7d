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

// UnderGoRun runs work until it ends, or is cancelled by Interrupt, SIGTERM, SIGHUP or the end of the parent process. If `go run` was killed, it
// removes the folder that `go run` left behind.
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

// followParent cancels the work when the parent process ends: `go run` does not pass on the signals that kill it.
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

// removeGoRunFolder removes the folder in which `go run` built this program, which a killed `go run` leaves behind.
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
