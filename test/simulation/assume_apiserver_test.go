// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// apiAssumptions concern the API server and the connection to it.
var apiAssumptions = []*assumption{
	{name: "api-flaky", holds: "a request succeeds, and its response arrives", episode: func(w *world, about time.Duration) string {
		w.apiFault = apiFault{refused: w.chance.Float64() / 2, lost: w.chance.Float64() / 3, slow: pick(w, []time.Duration{0, 100 * time.Millisecond, 2 * time.Second})}
		return w.faultEnds(about, func() { w.apiFault = apiFault{} })
	}},
	{name: "api-down", holds: "the API server is reachable", episode: func(w *world, about time.Duration) string {
		w.apiFault = apiFault{refused: 1}
		d := w.about(about)
		w.holdWatches(d)
		w.judge.obstruct(nil, d+90*time.Second)
		w.after(d, func() { w.apiFault = apiFault{} })
		return d.String()
	}},
	{name: "api-silent-watch", holds: "a watch delivers changes at once", episode: func(w *world, about time.Duration) string {
		d := min(w.about(about), 10*time.Minute)
		w.holdWatches(d)
		return d.String()
	}},
	{name: "api-refuses-writes", holds: "the target can be written", episode: denying(refusedWrites, 11*time.Minute, "create Secret", "patch Secret")},
	{name: "api-refuses-deletes", holds: "the previous target can be deleted", episode: denying(refusedWrites, 0, "delete Secret")},
	{name: "api-refuses-reads", holds: "Secrets can be read", episode: denying(refusedReads, 90*time.Second, "get Secret")},
	{name: "api-late-reads", holds: "what was read is still current when the response arrives", episode: func(w *world, about time.Duration) string {
		w.apiFault = apiFault{late: pick(w, []time.Duration{200 * time.Millisecond, 2 * time.Second})}
		return w.faultEnds(about, func() { w.apiFault = apiFault{} })
	}},
	{name: "api-slow-watch", holds: "a cache is up to date within milliseconds", flip: func(w *world) { w.lag = 2 * time.Second }},
}

// denying lets the API server refuse all requests that begin with one of these prefixes, for a while. The operator may need the time noticed to find
// out that it is over.
func denying(refusals []error, noticed time.Duration, what ...string) func(*world, time.Duration) string {
	return func(w *world, about time.Duration) string {
		w.apiFault.denied, w.apiFault.denial = what, pick(w, refusals)
		d := w.about(3 * about)
		if noticed > 0 {
			w.judge.hinder(d + noticed)
		}
		w.after(d, func() { w.apiFault.denied = nil })
		return d.String() + ": " + w.apiFault.denial.Error()
	}
}

var refusedWrites = []error{
	apierrors.NewForbidden(secretResource, "x", errors.New(`admission webhook "policy.example.com" denied the request: no`)),
	apierrors.NewForbidden(secretResource, "x", errors.New("exceeded quota: secrets, requested: count/secrets=1, used: count/secrets=10, limited: count/secrets=10")),
	apierrors.NewForbidden(secretResource, "x", errors.New("user operator cannot do this")),
	apierrors.NewInvalid(secretKind.GroupKind(), "x", nil),
}

var refusedReads = []error{
	apierrors.NewForbidden(secretResource, "x", errors.New("user operator cannot do this")),
	apierrors.NewTooManyRequests("priority and fairness", 1), apierrors.NewTimeoutError("it took too long", 1),
}
