package controllers

import (
	"context"
	"errors"
	"time"
)

// shutdownGrace is how much longer than its process a pass may live that has begun: a token that was asked for is lost unless it is
// written. It is short, as the next leader waits for it.
const shutdownGrace = 2 * time.Second

// outlive gives a context that ends grace later than parent if that is cancelled, and with it if its time is over. Call end when done.
func outlive(parent context.Context, grace time.Duration) (ctx context.Context, end func()) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(parent))
	stop := context.AfterFunc(parent, func() {
		cause := context.Cause(parent)
		if errors.Is(parent.Err(), context.DeadlineExceeded) {
			cancel(cause)
			return
		}
		timer := time.AfterFunc(grace, func() { cancel(cause) })
		context.AfterFunc(ctx, func() { timer.Stop() })
	})
	return ctx, func() { stop(); cancel(context.Canceled) }
}
