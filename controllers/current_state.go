// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
)

// A reader observes: from the cache where that suffices, else from the API server. It changes nothing.
type reader struct {
	*Cluster
	*credential.Policy
	*Sources
	endings *credential.TerminatingNamespaces
	// salt keys the fingerprints that never leave this process.
	salt []byte
}

// cachedState is the state as far as the cache shows it.
func (r *reader) cachedState(ctx context.Context, obj *v1alpha1.CDPCredential, cache *credential.ObjectCache) *credential.State {
	s := r.stateOf(obj, cache)
	secret := credential.SecretMetadata(obj.Namespace, obj.Spec.Target.Name)
	if err := r.Client.Get(ctx, client.ObjectKeyFromObject(secret), secret); err == nil {
		s.Current.Persisted = r.clocks().ParsePersistedState(secret.Annotations[v1alpha1.StateAnnotation], obj.Name)
	}
	r.clocks().AdoptStatus(s)
	return s
}

// catchUp returns the object in a version that includes this process's own writes. Nil: wait for the cache. If the cache stays behind, the object is
// read from the API server: a watch may hang for minutes, and the data may have been restored from a backup.
func (r *reader) catchUp(ctx context.Context, obj *v1alpha1.CDPCredential, cache *credential.ObjectCache) (*v1alpha1.CDPCredential, error) {
	switch cache.LagOf(obj, r.Clock.Now()) {
	case credential.NoLag:
		return obj, nil
	case credential.ShortLag:
		return nil, nil
	}
	live, err := r.readObject(ctx, obj)
	if live != nil && credential.Older(live.ResourceVersion, cache.ObjectVersion) {
		cache.ObjectVersion, cache.Target.Seen = "", nil
	}
	return live, err
}

// A sight is what one reconcile has read beyond the cache: each thing at most once, and only for a plan that needs it.
type sight struct {
	// confirmed: the object and its targets were read from the API server. distrusted: the targets must not come from the cache.
	confirmed, distrusted bool
	// client is the client Secret with its values; targets are the target Secrets that were read. Nil or missing: use the cache.
	client  *credential.ClientSecret
	targets map[string]credential.TargetSecret
	turn    credential.Turn
	// place is the reservation at the endpoint's gate. Nil: there is none.
	place *egress.Reservation
}

// leave returns an unused reservation to the gate.
func (seen *sight) leave(now time.Time) {
	if seen.place != nil {
		seen.place.Done(now, egress.Result{Kind: egress.Cancelled})
	}
}

// observe builds a State from the cache and from what this reconcile has read. It asks the API server only for the data of a target whose version
// neither status nor this process's memory knows.
func (r *reader) observe(ctx context.Context, obj *v1alpha1.CDPCredential, cache *credential.ObjectCache, seen *sight) (*credential.State, error) {
	s := r.stateOf(obj, cache)
	s.Turn = seen.turn
	obj = s.Object
	var err error
	if s.Client, err = r.observeClient(ctx, obj, seen); err != nil {
		return nil, err
	}
	if s.Target, err = r.observeTarget(ctx, obj, cache, seen, obj.Spec.Target.Name); err != nil {
		return nil, err
	}
	s.Current = s.Target
	if old := obj.Status.TargetName; old != "" && old != s.Target.Name {
		before, err := r.observeTarget(ctx, obj, cache, seen, old)
		if err != nil {
			return nil, err
		}
		s.PreferNewer(before)
	}
	r.clocks().AdoptStatus(s)
	if err := r.compareClient(ctx, s, cache, seen); err != nil {
		return nil, err
	}
	cache.Recall(s)
	return s, nil
}

// confirm reads the object, its targets and its client Secret from the API server. Nil: the object is gone.
func (r *reader) confirm(ctx context.Context, obj *v1alpha1.CDPCredential, cache *credential.ObjectCache, seen *sight) (*v1alpha1.CDPCredential, error) {
	live, err := r.readObject(ctx, obj)
	if live == nil || err != nil {
		return nil, err
	}
	for _, name := range credential.TargetNames(live) {
		if _, ok := seen.targets[name]; ok {
			continue
		}
		if _, err := r.lookInto(ctx, live, cache, seen, name); err != nil {
			return nil, err
		}
	}
	if err := r.readClient(ctx, live, seen); err != nil {
		return nil, err
	}
	seen.confirmed, cache.Target.Uncertain, cache.ObjectVersion = true, false, live.ResourceVersion
	return live, nil
}

// stateOf returns the state of the object alone, with a status that could not be saved if there is one.
func (r *reader) stateOf(obj *v1alpha1.CDPCredential, cache *credential.ObjectCache) *credential.State {
	own := *obj
	s := &credential.State{Now: r.Clock.Now(), ClockOffsets: credential.ClockOffsets{ClockAhead: r.clocks().Ahead}, Object: &own, SavedStatus: obj.Status, Policy: *r.Policy}
	if cache.Unsaved != nil {
		own.Status = *cache.Unsaved.DeepCopy()
	}
	s.Desired, s.DesiredErr = credential.DesiredFlowOf(&obj.Spec)
	s.Salt = r.salt
	return s
}

// ending reports whether the namespace of an object that has lost its Secrets is being deleted: then there is nothing to do or report. A wait above
// zero means that this is not known yet.
func (r *reader) ending(ctx context.Context, obj *v1alpha1.CDPCredential) (ends bool, wait time.Duration) {
	if !obj.DeletionTimestamp.IsZero() { // an object that a finalizer keeps is served until it is gone
		return false, 0
	}
	ends, ask, wait := r.endings.Recall(obj.Namespace, r.Clock.Now())
	if !ask {
		return ends, wait
	}
	// Only the API server knows. Creating a Secret as a dry run needs no further right.
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: obj.Namespace, Name: obj.Spec.Target.Name}}
	err := r.Client.Create(ctx, secret, client.DryRunAll, client.FieldOwner(v1alpha1.ManagedBy))
	ends = apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause)
	r.endings.Learn(obj.Namespace, r.Clock.Now(), ends)
	return ends, 0
}

// An endingError ends the reconcile of an object whose namespace is being deleted, or may be.
type endingError struct{ again time.Duration }

func (e *endingError) Error() string { return "the namespace may be being deleted" }

// notEnding returns an error if the object's namespace is being deleted, or if that is not known yet.
func (r *reader) notEnding(ctx context.Context, obj *v1alpha1.CDPCredential) error {
	if ends, wait := r.ending(ctx, obj); ends || wait > 0 {
		return &endingError{cmp.Or(wait, credential.TerminationKnownFor)}
	}
	return nil
}

// readObject asks the API server for the object. Nil: it is gone.
func (r *reader) readObject(ctx context.Context, obj *v1alpha1.CDPCredential) (*v1alpha1.CDPCredential, error) {
	live := &v1alpha1.CDPCredential{}
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(obj), live); apierrors.IsNotFound(err) {
		return nil, nil
	} else if err != nil {
		return nil, &credential.RequestError{Verb: "get", Resource: "cdpcredentials", Name: obj.Name, Err: err}
	}
	if live.UID != obj.UID || credential.Leaving(live) {
		return nil, nil
	}
	return live, nil
}

// observeClient takes the client Secret from the cache unless it was read.
func (r *reader) observeClient(ctx context.Context, obj *v1alpha1.CDPCredential, seen *sight) (credential.ClientSecret, error) {
	if seen.client != nil {
		return *seen.client, nil
	}
	meta := credential.SecretMetadata(obj.Namespace, obj.Spec.ClientSecretRef.Name)
	if err := r.Client.Get(ctx, client.ObjectKeyFromObject(meta), meta); apierrors.IsNotFound(err) {
		return credential.ClientSecret{}, nil
	} else if err != nil {
		return credential.ClientSecret{}, fmt.Errorf("read the client Secret's metadata: %w", err)
	}
	return credential.ClientSecretOf(&meta.ObjectMeta), nil
}

// observeTarget takes a target Secret from the cache unless it was read.
func (r *reader) observeTarget(ctx context.Context, obj *v1alpha1.CDPCredential, cache *credential.ObjectCache, seen *sight, name string) (credential.TargetSecret, error) {
	if t, ok := seen.targets[name]; ok {
		return t, nil
	}
	if seen.distrusted {
		return r.lookInto(ctx, obj, cache, seen, name)
	}
	t, err := r.cachedTarget(ctx, obj.Namespace, name)
	if err != nil {
		return t, err
	}
	last, known := cache.Target.Find(name)
	if known {
		lags, err := r.cacheLags(ctx, obj, t, last.Version)
		if err != nil {
			return t, err
		}
		if lags {
			return r.lookInto(ctx, obj, cache, seen, name)
		}
	}
	if !t.Found || t.Owner() != obj.Name {
		return t, nil
	}
	t.Persisted = r.clocks().ParsePersistedState(t.Metadata.Annotations[v1alpha1.StateAnnotation], obj.Name)
	if !t.Recall(last, known, &obj.Status) {
		return r.lookInto(ctx, obj, cache, seen, name)
	}
	return t, nil
}

// cacheLags reports whether the cache shows a target in an older version than is known, or not at all. Either it lags behind our own write, or the
// Secret was just deleted: only the API server knows.
func (r *reader) cacheLags(ctx context.Context, obj *v1alpha1.CDPCredential, t credential.TargetSecret, known string) (bool, error) {
	if !t.Found {
		if err := r.notEnding(ctx, obj); err != nil { // saves a GET for each of the thousands of Secrets that go with a namespace
			return false, err
		}
	}
	return credential.Lags(t.Found, t.Version, known), nil
}

// cachedTarget returns a target Secret's metadata as the cache shows it.
func (r *reader) cachedTarget(ctx context.Context, namespace, name string) (credential.TargetSecret, error) {
	meta := credential.SecretMetadata(namespace, name)
	err := r.Client.Get(ctx, client.ObjectKeyFromObject(meta), meta)
	if client.IgnoreNotFound(err) != nil {
		return credential.TargetSecret{}, fmt.Errorf("read the target Secret's metadata: %w", err)
	}
	return credential.TargetSecret{Name: name, Found: err == nil, Version: credential.VersionOf(&meta.ObjectMeta), Metadata: meta.ObjectMeta}, nil
}

// lookInto reads a target Secret's data and remembers the result.
func (r *reader) lookInto(ctx context.Context, obj *v1alpha1.CDPCredential, cache *credential.ObjectCache, seen *sight, name string) (credential.TargetSecret, error) {
	t, err := r.readTarget(ctx, obj, name)
	if err != nil {
		return t, err
	}
	if t.Owner() != obj.Name {
		t.Persisted = nil // the Secret is not ours, whatever its annotation says
	}
	if seen.targets == nil {
		seen.targets = map[string]credential.TargetSecret{}
	}
	seen.targets[name] = t
	cache.Target.Uncertain = cache.Target.Uncertain && name != obj.Spec.Target.Name
	if !t.Found {
		cache.Target.ForgetTarget(name)
	} else {
		cache.Target.SawTarget(t.Seen())
	}
	return t, nil
}

// readTarget reads a target Secret from the API server and judges its content.
func (r *reader) readTarget(ctx context.Context, obj *v1alpha1.CDPCredential, name string) (credential.TargetSecret, error) {
	secret := &corev1.Secret{}
	if err := r.Live.Get(ctx, client.ObjectKey{Namespace: obj.Namespace, Name: name}, secret); apierrors.IsNotFound(err) {
		return credential.TargetSecret{Name: name}, nil
	} else if err != nil {
		return credential.TargetSecret{}, &credential.RequestError{Verb: "get", Resource: "secrets", Name: name, Err: err}
	}
	return credential.TargetSecretOf(secret, r.clocks().ParsePersistedState(secret.Annotations[v1alpha1.StateAnnotation], obj.Name)), nil
}

// compareClient finds out whether the request would differ from the one that the token came from. It reads the client Secret only if its version or
// the spec has changed since the last comparison.
func (r *reader) compareClient(ctx context.Context, s *credential.State, cache *credential.ObjectCache, seen *sight) error {
	if s.DesiredErr != nil || !s.Client.Found {
		return nil //nolint:nilerr // the plan reports what is wrong with the object
	}
	if credential.ClientLags(s) {
		if err := r.lookAtClient(ctx, s, seen); err != nil || !s.Client.Found {
			return err
		}
	}
	compares := credential.ComparisonsOf(s, &cache.Client)
	if !compares.Any() {
		return nil
	}
	if !cache.Client.IsOf(s, compares.WithToken) {
		if err := r.lookAtClient(ctx, s, seen); err != nil || !s.Client.Found {
			return err
		}
		cache.Client.Compare(s, compares.WithToken)
	}
	cache.Client.Apply(s, compares)
	return nil
}

// lookAtClient reads the client Secret into a State.
func (r *reader) lookAtClient(ctx context.Context, s *credential.State, seen *sight) error {
	if err := r.readClient(ctx, s.Object, seen); err != nil {
		return err
	}
	s.Client = *seen.client
	return nil
}

// readClient reads the client Secret from the API server.
func (r *reader) readClient(ctx context.Context, obj *v1alpha1.CDPCredential, seen *sight) error {
	if seen.client != nil {
		return nil
	}
	secret := &corev1.Secret{}
	name := obj.Spec.ClientSecretRef.Name
	if err := r.Live.Get(ctx, client.ObjectKey{Namespace: obj.Namespace, Name: name}, secret); apierrors.IsNotFound(err) {
		seen.client = &credential.ClientSecret{}
		return nil
	} else if err != nil {
		return &credential.RequestError{Verb: "get", Resource: "secrets", Name: name, Err: err}
	}
	read := credential.ClientSecretOf(&secret.ObjectMeta)
	read.Content = secret
	seen.client = &read
	return nil
}
