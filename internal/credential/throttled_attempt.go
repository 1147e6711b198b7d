// SPDX-License-Identifier: Apache-2.0

package credential

// A ThrottledAttempt is the fingerprint of what the object asked for, that of what was sent, under the process's own salt, and what is reported of it.
type ThrottledAttempt struct {
	Asked   string
	Request string
	Failure Failure
}
