package controllers

import (
	"cmp"
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

const (
	// endingKnownFor is how long the API server's word on whether a namespace is being deleted is good.
	endingKnownFor = 20 * time.Second
	// endingAskedFor is how long others wait for the one that asks.
	endingAskedFor = 10 * time.Second
)

// endings are the namespaces of which the API server was asked whether they are being deleted. What is in such a namespace goes one by one, thousands
// of Secrets perhaps before their objects: nobody wants to be told of each, and nothing can be made in it any more.
type endings struct {
	mu sync.Mutex
	of map[string]ending
}

type ending struct {
	at      time.Time
	pending bool
	ends    bool
}

// recall gives what is known of a namespace. If nothing is, the caller is to ask; somebody else who does makes him wait.
func (e *endings) recall(namespace string, now time.Time) (ends, ask bool, wait time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	known, ok := e.of[namespace]
	age := now.Sub(known.at)
	switch {
	case ok && age >= 0 && known.pending && age < endingAskedFor:
		return false, false, cacheLag
	case ok && age >= 0 && !known.pending && age < endingKnownFor:
		return known.ends, false, 0
	}
	for name, old := range e.of {
		if now.Sub(old.at) >= endingKnownFor {
			delete(e.of, name)
		}
	}
	if e.of == nil {
		e.of = map[string]ending{}
	}
	e.of[namespace] = ending{at: now, pending: true}
	return false, true, 0
}

func (e *endings) learn(namespace string, now time.Time, ends bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.of[namespace] = ending{at: now, ends: ends}
}

// ending reports whether a namespace is being deleted, for an object that has lost what it had: then there is nothing to be done or told. A wait above
// zero means that this is not known yet.
func (r *reader) ending(ctx context.Context, obj *v1alpha1.CDPCredential) (ends bool, wait time.Duration) {
	if !obj.DeletionTimestamp.IsZero() { // what is kept by somebody's finalizer is served until it is gone
		return false, 0
	}
	ends, ask, wait := r.endings.recall(obj.Namespace, r.Clock.Now())
	if !ask {
		return ends, wait
	}
	// Only the API server knows, and whoever may make Secrets may ask it so.
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: obj.Namespace, Name: obj.Spec.Target.Name}}
	err := r.Client.Create(ctx, secret, client.DryRunAll, client.FieldOwner(v1alpha1.ManagedBy))
	ends = apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause)
	r.endings.learn(obj.Namespace, r.Clock.Now(), ends)
	return ends, 0
}

// An endingError ends a pass over an object whose namespace is being deleted, or perhaps is.
type endingError struct{ again time.Duration }

func (e *endingError) Error() string { return "the namespace may be being deleted" }

// notEnding gives an error if the object's namespace is being deleted, or if that is not known yet.
func (r *reader) notEnding(ctx context.Context, obj *v1alpha1.CDPCredential) error {
	if ends, wait := r.ending(ctx, obj); ends || wait > 0 {
		return &endingError{cmp.Or(wait, endingKnownFor)}
	}
	return nil
}
