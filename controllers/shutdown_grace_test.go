// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestShutdownGraceOutlivesACancelledParent(t *testing.T) {
	t.Parallel()
	shutdown := errors.New("shutdown")
	for name, tc := range map[string]struct {
		after time.Duration // of the parent's end
		end   func(context.Context) (context.Context, context.CancelFunc)
		alive bool
	}{
		"parent alive":                {time.Hour, func(ctx context.Context) (context.Context, context.CancelFunc) { return context.WithCancel(ctx) }, true},
		"cancelled, within the grace": {1900 * time.Millisecond, cancelled(shutdown), true},
		"cancelled, after the grace":  {2100 * time.Millisecond, cancelled(shutdown), false},
		"its time is over":            {time.Millisecond, timedOut, false},
		"its time is not over yet":    {-time.Millisecond, timedOut, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				parent, cancel := tc.end(t.Context())
				defer cancel()
				ctx, end := withShutdownGrace(parent, 2*time.Second)
				time.Sleep(time.Second + tc.after) // on the bubble's clock, which takes no time
				synctest.Wait()
				if alive := ctx.Err() == nil; alive != tc.alive {
					t.Errorf("alive: %t, want %t", alive, tc.alive)
				}
				if !tc.alive && errors.Is(parent.Err(), context.Canceled) && !errors.Is(context.Cause(ctx), shutdown) {
					t.Errorf("the cause is %v", context.Cause(ctx))
				}
				end()
				synctest.Wait()
				if ctx.Err() == nil {
					t.Error("it lives after its end")
				}
			})
		})
	}
}

// cancelled ends a context after a second.
func cancelled(cause error) func(context.Context) (context.Context, context.CancelFunc) {
	return func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancelCause(ctx)
		timer := time.AfterFunc(time.Second, func() { cancel(cause) })
		return ctx, func() { timer.Stop(); cancel(nil) }
	}
}

// timedOut is a context whose time is over after a second.
func timedOut(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, time.Second)
}
