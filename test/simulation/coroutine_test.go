// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"iter"
	"time"
)

// A coroutine runs jobs one after the other; each may yield for a while.
type coroutine struct {
	job   func()
	yield func(time.Duration) bool
	next  func() (time.Duration, bool)
	stop  func()
}

// killed is the panic that ends the job of a stopped coroutine.
type killed struct{}

// jobEnded is what a coroutine yields between two jobs.
const jobEnded = -1

// coroutine returns an idle one. It belongs to one reconcile until that has ended.
func (wires *wiring) coroutine() *coroutine {
	if last := len(wires.idle) - 1; last >= 0 {
		c := wires.idle[last]
		wires.idle = wires.idle[:last]
		return c
	}
	c := &coroutine{}
	c.next, c.stop = iter.Pull(func(yield func(time.Duration) bool) {
		defer func() {
			switch e := recover().(type) {
			case nil, killed:
			default:
				panic(e)
			}
		}()
		c.yield = yield
		for {
			c.job()
			if c.job = nil; !yield(jobEnded) {
				return
			}
		}
	})
	return c
}

// resume runs the job until it ends, or yields for wait.
func (c *coroutine) resume() (wait time.Duration, more bool) {
	wait, running := c.next()
	return wait, running && wait != jobEnded
}
