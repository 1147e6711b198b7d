// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"slices"
	"time"
)

// vendorAssumptions concern token endpoints and the API that accepts their tokens.
var vendorAssumptions = []*assumption{
	{name: "vendor-trouble", holds: "every vendor answers correctly", episode: vendorTrouble},
	{name: "vendor-caches", holds: "each exchange returns a new token", flip: eachHost(0.5, func(_ *world, h *host) {
		h.caching = h.name != algonomyHost
	})},
	{name: "vendor-clock-off", holds: "a vendor's clock is right", flip: eachHost(0.7, func(w *world, h *host) {
		h.offset = pick(w, []time.Duration{time.Second, 10 * time.Minute, -10 * time.Minute})
	})},
	{name: "vendor-strays", holds: "a client that is served now is served a second later, too", episode: strays},
	{name: "vendor-troubles-one-client", holds: "all clients of a vendor are treated alike", episode: troubleForOne},
	{name: "vendor-long-retry-after", holds: "a Retry-After is a few minutes at most", flip: eachHost(0.5, func(_ *world, h *host) { h.retryAfter = 3600 })},
	{name: "vendor-same-until-dead", holds: "a new token is issued while the old one is still valid", flip: eachHost(0.5, func(_ *world, h *host) {
		h.sameUntilDead = h.name != algonomyHost
	})},
	{name: "vendor-one-active", holds: "a new token leaves the previous one valid", flip: eachHost(0.5, func(_ *world, h *host) { h.active = 1 })},
	{name: "vendor-few-active", holds: "old tokens stay valid, however many there are", flip: eachHost(0.5, func(w *world, h *host) { h.active = 2 + w.chance.IntN(3) })},
	{name: "vendor-lies", holds: "expires_in is true", flip: eachHost(0.5, func(w *world, h *host) {
		h.lie = pick(w, []float64{0.9, 1.5, 3})
		if h.lifetime >= 5*time.Minute && w.maybe(0.3) {
			h.lie = 0.3 // nobody can keep tokens of less than a minute fresh
		}
	})},
	{name: "vendor-ends-early", holds: "the API accepts a token until it expires", flip: eachHost(0.5, func(w *world, h *host) { h.early = 0.05 + 0.9*w.chance.Float64() })},
	{name: "vendor-no-date", holds: "an answer has a Date", flip: eachHost(0.7, undated)},
	{name: "vendor-two-nodes", holds: "the API knows a token as soon as it is issued", flip: func(w *world) {
		w.vendors.learns = w.between(time.Second, 2*time.Minute)
	}},
}

// undated removes the Date header from a host's answers. If its tokens are JWTs, its clock and ours have to agree then, because nothing else says
// when they expire.
func undated(w *world, h *host) {
	h.dated = false
	if !h.opaque {
		w.clocksHold = true
	}
}

// eachHost calls do for each host with probability p, and for at least one.
func eachHost(p float64, do func(w *world, h *host)) func(w *world) {
	return func(w *world) {
		at := pick(w, hostNames)
		for _, name := range hostNames {
			if w.maybe(p) || name == at {
				do(w, w.vendors.hosts[name])
			}
		}
	}
}

func vendorTrouble(w *world, about time.Duration) string {
	h := w.vendors.hosts[pick(w, []string{oauthHost, oauthHost, otherHost, auth0Host, apsisHost, algonomyHost, apiHost})]
	what := trouble(1 + w.chance.IntN(int(troubles)-1))
	if (what == rejectingTokens || what == forbidding) != (h.name == apiHost) {
		what = serverError
	}
	h.trouble = what
	d := w.about(about)
	for _, o := range w.judge.objects {
		if obj := o.get(); obj != nil {
			if host, _ := needs(&obj.Spec.Provider); host == h.name || h.name == apiHost {
				w.judge.obstruct(o, d)
			}
		}
	}
	w.after(d, func() { h.trouble = fine })
	return fmt.Sprintf("%s: %s for %s", h.name, what, d)
}

// troubleForOne is trouble for one client only. The vendor's other clients must not notice.
func troubleForOne(w *world, about time.Duration) string {
	o := pick(w, w.judge.objects)
	obj := o.get()
	if obj == nil {
		return ""
	}
	name, _ := needs(&obj.Spec.Provider)
	h := w.vendors.hosts[name]
	if h == nil {
		return "its provider makes no calls"
	}
	client, what := o.clientID(obj.Spec.ClientSecretRef.Name), trouble(1+w.chance.IntN(int(flaky)))
	h.troubled[client] = what
	d := w.about(about)
	w.judge.obstruct(o, d)
	w.judge.disturb(h, d)
	w.after(d, func() { delete(h.troubled, client) })
	return fmt.Sprintf("%s: %s for %s, for %s", h.name, what, client, d)
}

// strays gives the next caller of a vendor an answer that is not about that caller, such as a firewall's or that of a node that is being replaced.
func strays(w *world, _ time.Duration) string {
	h := w.vendors.hosts[pick(w, hostNames)]
	h.stray = pick(w, []int{401, 403, 503})
	return fmt.Sprintf("%s: %d", h.name, h.stray)
}

// touches returns the objects that call a host.
func (w *world) touches(h *host) []*object {
	return slices.DeleteFunc(slices.Clone(w.judge.objects), func(o *object) bool {
		obj := o.get()
		if obj == nil {
			return true
		}
		host, _ := needs(&obj.Spec.Provider)
		return host != h.name && h.name != apiHost
	})
}
