// SPDX-License-Identifier: Apache-2.0

package credential

// A ThrottledAttempt is an attempt that was answered with 429.
type ThrottledAttempt struct {
	// SpecHash is that of the desired flow, Request the fingerprint of what was sent, under this process's salt.
	SpecHash string
	Request  string
	// Failure is what was reported of it.
	Failure Failure
}
