// SPDX-License-Identifier: Apache-2.0

package exchangetest

import "time"

// Behaviour is what may change while a server runs. The zero value is that of a good server.
type Behaviour struct {
	// Lifetime of tokens whose Client has none; zero means one hour.
	Lifetime time.Duration
	// Latency is added to every answer of a token endpoint.
	Latency time.Duration
	// ClockOffset is how far the endpoints' clocks are ahead: it shows in the Date header, in iat, exp and created_at, and in the judgement
	// of assertions. Tokens live as long as without it.
	ClockOffset time.Duration
	// Fault, if set, is asked before every answer; nil means that this one is good. It is called from many goroutines.
	Fault func(Request) *Fault
}
