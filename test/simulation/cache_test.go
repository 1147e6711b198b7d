// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"iter"
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A mirror is a replica's informer cache: each kind as it was at the API server some time ago.
type mirror struct {
	credentials things[*v1alpha1.CDPCredential]
	secrets     things[*metav1.PartialObjectMetadata]
	// watches are the one of CDPCredentials and the one of Secrets.
	watches [2]watch
	// shownAt is when the cache last took in a change of an object.
	shownAt map[types.NamespacedName]time.Duration
}

// things are the objects of a kind, by namespace and name.
type things[T any] map[string]map[string]T

func (t things[T]) get(name types.NamespacedName) (thing T, ok bool) {
	thing, ok = t[name.Namespace][name.Name]
	return thing, ok
}

func (t things[T]) set(name types.NamespacedName, thing T) {
	if t[name.Namespace] == nil {
		t[name.Namespace] = map[string]T{}
	}
	t[name.Namespace][name.Name] = thing
}

// in iterates over the objects of a namespace, sorted by name.
func (t things[T]) in(namespace string) iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, name := range slices.Sorted(maps.Keys(t[namespace])) {
			if !yield(t[namespace][name]) {
				return
			}
		}
	}
}

// all iterates over all objects, sorted by namespace and name.
func (t things[T]) all(yield func(T) bool) {
	for _, namespace := range slices.Sorted(maps.Keys(t)) {
		for thing := range t.in(namespace) {
			if !yield(thing) {
				return
			}
		}
	}
}

type watch struct {
	ofSecrets bool
	// heard is how many of all changes the watch has received.
	heard     int
	scheduled bool
	// stuckUntil is when a stuck watch continues; with relist it then sees only the latest state of each object.
	stuckUntil time.Duration
	relist     bool
}

// fillCache is the initial list, from a server that may be behind. The watch continues from there.
func (r *replica) fillCache(behind time.Duration) {
	w := r.w
	r.cache = mirror{
		credentials: things[*v1alpha1.CDPCredential]{}, secrets: things[*metav1.PartialObjectMetadata]{}, watches: [2]watch{{}, {ofSecrets: true}},
		shownAt: map[types.NamespacedName]time.Duration{},
	}
	upTo := len(w.api.changes)
	for upTo > 0 && behind > 0 && w.api.changes[upTo-1].at > w.now-behind {
		upTo--
	}
	for _, c := range w.api.changes[:upTo] {
		r.cache.apply(c)
	}
	w.wires.hearing = r
	for obj := range r.cache.credentials.all {
		w.wires.credentials.OnAdd(obj, true)
	}
	for secret := range r.cache.secrets.all {
		w.wires.secrets.OnAdd(secret, true)
	}
	for i := range r.cache.watches {
		watch := &r.cache.watches[i]
		watch.heard = upTo
		if upTo < len(w.api.changes) {
			watch.stuckUntil = w.now + w.about(behind/4)
			watch.relist = w.maybe(0.3)
			r.listen(watch)
		}
	}
}

func (c *mirror) apply(change change) {
	switch {
	case change.ofSecret && change.metadata == nil:
		delete(c.secrets[change.name.Namespace], change.name.Name)
	case change.ofSecret:
		c.secrets.set(change.name, change.metadata)
	case change.credential == nil:
		delete(c.credentials[change.name.Namespace], change.name.Name)
	default:
		c.credentials.set(change.name, change.credential)
	}
}

// tellWatches schedules the delivery of new changes.
func (w *world) tellWatches() {
	for _, r := range w.replicas {
		for i := range r.cache.watches {
			r.listen(&r.cache.watches[i])
		}
	}
}

func (r *replica) listen(watch *watch) {
	if watch.scheduled {
		return
	}
	watch.scheduled = true
	wait := r.w.lag + r.w.between(0, 20*time.Millisecond)
	r.w.after(max(wait, watch.stuckUntil-r.w.now), func() { r.hear(watch) })
}

// hear takes in what has changed since.
func (r *replica) hear(watch *watch) {
	switch {
	case r.dead:
		return
	case r.paused:
		r.parked = append(r.parked, func() { r.hear(watch) })
		return
	case r.w.now < watch.stuckUntil:
		r.w.after(watch.stuckUntil-r.w.now, func() { r.hear(watch) })
		return
	}
	watch.scheduled = false
	news := slices.Clone(r.w.api.changes[watch.heard:])
	watch.heard = len(r.w.api.changes)
	if watch.relist {
		watch.relist = false
		news = lastOfEach(news)
	}
	for _, c := range news {
		if c.ofSecret == watch.ofSecrets && !r.dead {
			r.take(c)
		}
	}
}

// lastOfEach reduces a series of changes to what a list would show.
func lastOfEach(changes []change) []change {
	type thing struct {
		ofSecret bool
		name     types.NamespacedName
	}
	last := map[thing]int{}
	for i, c := range changes {
		last[thing{c.ofSecret, c.name}] = i
	}
	var kept []change
	for i, c := range changes {
		if last[thing{c.ofSecret, c.name}] == i {
			kept = append(kept, c)
		}
	}
	return kept
}

// take puts a change into the cache and calls the event handlers.
func (r *replica) take(c change) {
	wires := r.w.wires
	wires.hearing, wires.reconciler.OwnWrites = r, r.reconciler.OwnWrites
	if c.ofSecret {
		before, had := r.cache.secrets.get(c.name)
		r.cache.apply(c)
		switch {
		case c.metadata == nil && had:
			wires.secrets.OnDelete(before)
		case c.metadata != nil && had:
			wires.secrets.OnUpdate(before, c.metadata)
		case c.metadata != nil:
			wires.secrets.OnAdd(c.metadata, false)
		}
		return
	}
	before, had := r.cache.credentials.get(c.name)
	r.cache.apply(c)
	r.cache.shownAt[c.name] = r.w.now
	switch {
	case c.credential == nil && had:
		wires.credentials.OnDelete(before)
	case c.credential != nil && had:
		wires.credentials.OnUpdate(before, c.credential)
	case c.credential != nil:
		wires.credentials.OnAdd(c.credential, false)
	}
}

// behind reports whether a namespace has changes that the cache does not show.
func (r *replica) behind(namespace string) bool {
	for _, watch := range r.cache.watches {
		for _, c := range r.w.api.changes[watch.heard:] {
			if c.ofSecret == watch.ofSecrets && c.name.Namespace == namespace {
				return true
			}
		}
	}
	return false
}
