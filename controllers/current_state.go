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

// A reader finds out what there is, from the cache and, where that cannot know, from the API server. It changes nothing.
type reader struct {
	*Cluster
	*credential.Policy
	*Sources
	endings *credential.TerminatingNamespaces
	// salt keys the fingerprints that never leave this process.
	salt []byte
}

// cachedState is the state as far as it is known without asking the API server.
func (r *reader) cachedState(ctx context.Context, obj *v1alpha1.CDPCredential, cache *credential.ObjectCache) *credential.State {
	s := r.stateOf(obj, cache)
	secret := credential.SecretMetadata(obj.Namespace, obj.Spec.Target.Name)
	if err := r.Client.Get(ctx, client.ObjectKeyFromObject(secret), secret); err == nil {
		s.Current.Persisted = r.clocks().ParsePersistedState(secret.Annotations[v1alpha1.StateAnnotation], obj.Name)
	}
	r.clocks().AdoptStatus(s)
	return s
}

// catchUp gives the object with at least what this process wrote. Nil: wait for the cache. One that does not catch up is passed by: a watch may
// hang for minutes, and the API server's data may have gone back to a backup.
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

// A sight is what one reconcile observes beyond what the cache shows: each at most once, and only for a plan that needs it.
type sight struct {
	// confirmed says that the object and its targets were read past the cache, distrusted that the cache is not to be asked for the targets.
	confirmed, distrusted bool
	// client is the client Secret with its values, targets the target Secrets that were read. Nil, or not there: what the cache shows will do.
	client  *credential.ClientSecret
	targets map[string]credential.TargetSecret
	turn    credential.Turn
	// place is the one at the endpoint's gate, if it is the object's turn. Nil: nobody is called.
	place *egress.Reservation
}

// leave gives the place at the gate back, unless it was used.
func (seen *sight) leave(now time.Time) {
	if seen.place != nil {
		seen.place.Done(now, egress.Result{Kind: egress.Cancelled})
	}
}

// observe gathers a state from the cache and from what this reconcile has seen. It asks the API server by itself only where the cache cannot know:
// what is in a Secret of which neither status nor this process knows the version.
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

// confirm reads the object, its targets and its client Secret past the cache. Nil: the object is gone.
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

// stateOf is the state of the object alone. What happened has happened, though it could not be written.
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

// ending reports whether a namespace is being deleted, for an object that has lost what it had: then there is nothing to be done or told. A wait above
// zero means that this is not known yet.
func (r *reader) ending(ctx context.Context, obj *v1alpha1.CDPCredential) (ends bool, wait time.Duration) {
	if !obj.DeletionTimestamp.IsZero() { // what is kept by somebody's finalizer is served until it is gone
		return false, 0
	}
	ends, ask, wait := r.endings.Recall(obj.Namespace, r.Clock.Now())
	if !ask {
		return ends, wait
	}
	// Only the API server knows, and whoever may make Secrets may ask it so.
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: obj.Namespace, Name: obj.Spec.Target.Name}}
	err := r.Client.Create(ctx, secret, client.DryRunAll, client.FieldOwner(v1alpha1.ManagedBy))
	ends = apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause)
	r.endings.Learn(obj.Namespace, r.Clock.Now(), ends)
	return ends, 0
}

// An endingError ends a pass over an object whose namespace is being deleted, or perhaps is.
type endingError struct{ again time.Duration }

func (e *endingError) Error() string { return "the namespace may be being deleted" }

// notEnding gives an error if the object's namespace is being deleted, or if that is not known yet.
func (r *reader) notEnding(ctx context.Context, obj *v1alpha1.CDPCredential) error {
	if ends, wait := r.ending(ctx, obj); ends || wait > 0 {
		return &endingError{cmp.Or(wait, credential.TerminationKnownFor)}
	}
	return nil
}

// readObject asks the API server for the object. Nil: it is gone, which the cache will show, too.
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

// observeClient finds the client Secret in the cache, unless it was read.
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

// observeTarget finds a target Secret in the cache, unless it was read.
func (r *reader) observeTarget(ctx context.Context, obj *v1alpha1.CDPCredential, cache *credential.ObjectCache, seen *sight, name string) (credential.TargetSecret, error) {
	if t, ok := seen.targets[name]; ok {
		return t, nil
	}
	if seen.distrusted {
		return r.lookInto(ctx, obj, cache, seen, name)
	}
	meta := credential.SecretMetadata(obj.Namespace, name)
	err := r.Client.Get(ctx, client.ObjectKeyFromObject(meta), meta)
	if client.IgnoreNotFound(err) != nil {
		return credential.TargetSecret{}, fmt.Errorf("read the target Secret's metadata: %w", err)
	}
	found := err == nil
	t := credential.TargetSecret{Name: name, Found: found, Version: credential.VersionOf(&meta.ObjectMeta), Metadata: meta.ObjectMeta}
	last, known := cache.Target.Find(name)
	if known && !found {
		if err := r.notEnding(ctx, obj); err != nil { // before thousands of Secrets are asked for that go with their namespace
			return t, err
		}
	}
	if known && credential.Lags(found, t.Version, last.Version) {
		// The cache has not seen our own last write, or the Secret has just been deleted: only the API server knows which.
		return r.lookInto(ctx, obj, cache, seen, name)
	}
	if !found || t.Owner() != obj.Name {
		return t, nil
	}
	t.Persisted = r.clocks().ParsePersistedState(t.Metadata.Annotations[v1alpha1.StateAnnotation], obj.Name)
	if !t.Recall(last, known, &obj.Status) {
		return r.lookInto(ctx, obj, cache, seen, name)
	}
	return t, nil
}

// lookInto reads a target Secret itself and remembers what it found.
func (r *reader) lookInto(ctx context.Context, obj *v1alpha1.CDPCredential, cache *credential.ObjectCache, seen *sight, name string) (credential.TargetSecret, error) {
	t, err := r.readTarget(ctx, obj, name)
	if err != nil {
		return t, err
	}
	if t.Owner() != obj.Name {
		t.Persisted = nil // whatever it says, the Secret is not ours
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

// readTarget asks the API server for a target Secret, past the cache, and judges what is in it.
func (r *reader) readTarget(ctx context.Context, obj *v1alpha1.CDPCredential, name string) (credential.TargetSecret, error) {
	secret := &corev1.Secret{}
	if err := r.Live.Get(ctx, client.ObjectKey{Namespace: obj.Namespace, Name: name}, secret); apierrors.IsNotFound(err) {
		return credential.TargetSecret{Name: name}, nil
	} else if err != nil {
		return credential.TargetSecret{}, &credential.RequestError{Verb: "get", Resource: "secrets", Name: name, Err: err}
	}
	return credential.TargetSecretOf(secret, r.clocks().ParsePersistedState(secret.Annotations[v1alpha1.StateAnnotation], obj.Name)), nil
}

// compareClient finds out what has changed in what would be sent. The client Secret is read only if its version, or what is asked for, is
// another one than it was when the answer was last found.
func (r *reader) compareClient(ctx context.Context, s *credential.State, cache *credential.ObjectCache, seen *sight) error {
	if s.DesiredErr != nil || !s.Client.Found {
		return nil //nolint:nilerr // what is wrong with the object is the plan's to say
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

// lookAtClient reads the client Secret for a state that is being gathered.
func (r *reader) lookAtClient(ctx context.Context, s *credential.State, seen *sight) error {
	if err := r.readClient(ctx, s.Object, seen); err != nil {
		return err
	}
	s.Client = *seen.client
	return nil
}

// readClient asks the API server for the client Secret, past the cache.
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
