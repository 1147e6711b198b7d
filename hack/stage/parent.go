package stage

import (
	"context"
	"errors"
	"os"
	"regexp"
	"time"
)

// FollowParent ends a program with its parent: `go run` does not pass on the signals that kill it.
func FollowParent(ctx context.Context, parent int, cancel context.CancelCauseFunc) {
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

// RemoveGoRunFolder removes what a killed `go run` could not remove any more: the folder that it has built this program in.
func RemoveGoRunFolder() error {
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	if found := goRunFolder.FindStringSubmatch(executable); found != nil {
		return os.RemoveAll(found[1])
	}
	return nil
}
