// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package main

import "time"

// uptime is unknown on this system.
func uptime() (time.Duration, bool) { return 0, false }
