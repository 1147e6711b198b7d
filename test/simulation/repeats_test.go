package simulation

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// repeats says whether a host gives a client the same token again, until it ends or nearly so.
func (h *host) repeats() bool { return h.caching || h.sameUntilDead || h.didRepeat }

// repeats says whether the host of an object does.
func (w *world) repeats(obj *v1alpha1.CDPCredential) bool {
	if obj == nil {
		return false
	}
	name, _ := needs(&obj.Spec.Provider)
	h := w.vendors.hosts[name]
	return h != nil && h.repeats()
}

// again says whether an answer has a token that had been handed out before.
func (a *answer) again() bool { return a.token != nil && a.token.first != a && a.ask.update == "" }

// repeatGrace is how long a token that cannot be had before its end may be held beyond that: two seconds, and what two clocks may be apart unseen.
const repeatGrace = 2*time.Second + clockNoise

// replaced judges a token that cannot be had before its end. A process whose watch hangs waits for its cache to show what it has written itself.
func (j *judge) replaced(h hold, obj *v1alpha1.CDPCredential, rec *written) {
	if j.w.silent() && j.w.now < h.token.expires+mostLag {
		j.w.after(mostLag, func() {
			if obj, rec := j.still(h); rec != nil {
				j.replaced(h, obj, rec)
			}
		})
		return
	}
	j.unexpired(h, obj, rec)
}

// mostLag is how long a process waits for a cache that does not show what it has written itself.
const mostLag = 10 * time.Second

// silent says whether any process hears nothing from one of its watches.
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
