//go:build !linux

package main

import "time"

// uptime is not known here: sleep then looks like a step of the clock, after which every object is looked at, too.
func uptime() (time.Duration, bool) { return 0, false }
