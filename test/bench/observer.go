// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// An observer watches all target Secrets, as an application that waits for one would.
type observer struct {
	mu   sync.Mutex
	seen map[types.NamespacedName][]sighting
	// changed is closed and replaced at each sighting.
	changed chan struct{}
}

// A sighting is one observed version of a target.
type sighting struct {
	at      time.Time
	uid     types.UID
	expires time.Time
}

// observe returns an observer whose cache has synced. It ends with ctx; done waits for that.
func observe(ctx context.Context, config *rest.Config) (o *observer, done *sync.WaitGroup, err error) {
	source, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, nil, err
	}
	secrets := schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	informer := metadatainformer.NewFilteredMetadataInformer(source, secrets, "", 0, cache.Indexers{}, func(options *metav1.ListOptions) {
		options.LabelSelector = v1alpha1.ManagedByLabel + "=" + v1alpha1.ManagedBy
	}).Informer()
	o = &observer{seen: map[types.NamespacedName][]sighting{}, changed: make(chan struct{})}
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: o.sight, UpdateFunc: func(_, now any) { o.sight(now) },
	}); err != nil {
		return nil, nil, err
	}
	done = &sync.WaitGroup{}
	done.Go(func() { informer.RunWithContext(ctx) })
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		return nil, done, errors.Join(errors.New("watch Secrets"), context.Cause(ctx))
	}
	return o, done, nil
}

func (o *observer) sight(obj any) {
	now := time.Now()
	secret, ok := obj.(*metav1.PartialObjectMetadata)
	if !ok {
		return
	}
	expires, _ := time.Parse(time.RFC3339, secret.Annotations[v1alpha1.ExpiresAtAnnotation]) // zero for the bare loop's targets
	name := types.NamespacedName{Namespace: secret.Namespace, Name: secret.Name}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen[name] = append(o.seen[name], sighting{now, secret.UID, expires})
	close(o.changed)
	o.changed = make(chan struct{})
}

// of returns the sightings of a target so far, and a channel that is closed at the next sighting of any target.
func (o *observer) of(name types.NamespacedName) ([]sighting, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.seen[name], o.changed
}

// wait returns once each of the first n targets of a fleet was sighted so many times, or with an error when ctx ends.
func (o *observer) wait(ctx context.Context, f *fleet, n, times int) error {
	for i := range n {
		for {
			seen, changed := o.of(f.target(i))
			if len(seen) >= times {
				break
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return fmt.Errorf("wait for %s to be written %d times, got %d times: %w", f.target(i), times, len(seen), context.Cause(ctx))
			}
		}
	}
	return nil
}
