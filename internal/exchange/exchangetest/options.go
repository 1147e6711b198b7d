// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"crypto/rsa"
	"io"
	"time"
)

// Options are what a server keeps for its whole life. The zero value is useful.
type Options struct {
	// Now is the true time, by which tokens expire; nil means time.Now.
	Now func() time.Time
	// Rand is where tokens and ids come from; nil means crypto/rand.
	Rand io.Reader
	// SigningKey signs the tokens; nil means a 2048-bit key that is generated once a process.
	SigningKey *rsa.PrivateKey
	// ReuseSignature signs one token and puts its signature under all others, which then do not verify: for benchmarks, in which signing
	// (about a millisecond each) would be the limit.
	ReuseSignature bool
	// Forget drops a token this long after its expiry, from Tokens and Secrets too, and what clients sent after the same time: for runs of
	// hours. Zero keeps everything.
	Forget time.Duration
	// History is how many seconds Stats.PerSecond goes back; zero means 3600.
	History int
	// Addresses are where a system listens, host:port. A system that is not among them listens on a loopback port that is free.
	Addresses map[System]string
	// Hosts are the names and addresses that the certificate is good for, beside localhost and the loopback addresses.
	Hosts []string
	// Behaviour is the first; SetBehaviour changes it.
	Behaviour Behaviour
}
