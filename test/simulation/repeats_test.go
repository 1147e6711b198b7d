// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// repeats reports whether a host returns the same token to a client again, until it expires or nearly so.
func (h *host) repeats() bool { return h.caching || h.sameUntilDead || h.didRepeat }

// repeats reports whether the host of an object repeats tokens.
func (w *world) repeats(obj *v1alpha1.CDPCredential) bool {
	if obj == nil {
		return false
	}
	name, _ := needs(&obj.Spec.Provider)
	h := w.vendors.hosts[name]
	return h != nil && h.repeats()
}

// again reports whether an answer has a token that had been issued before.
func (a *answer) again() bool { return a.token != nil && a.token.first != a && a.ask.update == "" }

// repeatGrace is how long a token that cannot be replaced before its expiry may stay afterwards: two seconds, and the clock difference that goes
// unnoticed.
const repeatGrace = 2*time.Second + clockNoise

// replaced judges a token that cannot be replaced before its expiry. A process whose watch hangs waits until its cache shows its own writes, and where
// caches are always late, a clock that was just set adds one write of status; with the few workers here, a single hanging call may use up all the places
// of a namespace.
func (j *judge) replaced(h hold, obj *v1alpha1.CDPCredential, rec *written) {
	var again time.Duration
	switch {
	case j.w.calls(h.object.Namespace) >= max(1, j.w.workers/2) && j.w.now < h.token.expires+busyFor:
		again = time.Second
	case j.w.silent() && j.w.now < h.token.expires+mostLag:
		again = mostLag
	case j.w.now < h.token.expires+repeatGrace+j.w.lag:
		again = j.w.lag
	}
	if again > 0 {
		j.w.after(again, func() {
			if obj, rec := j.still(h); rec != nil {
				j.replaced(h, obj, rec)
			}
		})
		return
	}
	j.unexpired(h, obj, rec)
}

// mostLag is how long a process waits for a cache that does not show its own writes.
const mostLag = 10 * time.Second

// silent reports whether a watch of any process is stuck.
func (w *world) silent() bool {
	for _, r := range w.replicas {
		for _, watch := range r.cache.watches {
			if watch.stuckUntil > w.now {
				return true
			}
		}
	}
	return false
}

// calls counts the calls in flight for objects of a namespace.
func (w *world) calls(namespace string) int {
	n := 0
	for _, r := range w.replicas {
		for _, p := range r.running {
			last := len(p.requests) - 1
			if last >= 0 && p.name.Namespace == namespace && (p.requests[last] == "exchange" || p.requests[last] == "verify") {
				n++
			}
		}
	}
	return n
}
