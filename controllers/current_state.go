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
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// A reader finds out what there is, from the cache and, where that cannot know, from the API server. It changes nothing.
type reader struct {
	*Cluster
	*credential.Policy
	*Sources
	endings *credential.NamespaceEndings
	// salt keys the fingerprints that never leave this process.
	salt []byte
}

// blindView is a view without what the API server would have to be asked for.
func (r *reader) blindView(ctx context.Context, obj *v1alpha1.CDPCredential, cache *credential.ObjectCache) *credential.State {
	s := r.viewOf(obj, cache)
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

// decide observes and plans. Where it matters most it does so with what the API server says: the cache that a process begins with may be older than
// the last writes of the process before it, and its watch of Secrets may be further behind than that of objects. A token costs more than two
// reads, and what is reported of an obstacle takes the place of a back-off that is still to be waited out. Nil: the object is gone.
func (r *reader) decide(ctx context.Context, obj *v1alpha1.CDPCredential, cache *credential.ObjectCache) (*credential.State, credential.Plan, error) {
	s, err := r.observe(ctx, obj, cache, r.cachedClient)
	if err != nil {
		return nil, credential.Plan{}, err
	}
	plan := credential.Decide(s)
	if credential.HasLostSecret(s, plan) {
		if err := r.notEnding(ctx, obj); err != nil {
			return nil, credential.Plan{}, err
		}
	}
	if !cache.MustConfirm(s, plan) {
		return s, plan, nil
	}
	live, err := r.readObject(ctx, obj)
	if live == nil || err != nil {
		return nil, credential.Plan{}, err
	}
	for _, name := range credential.TargetNames(live) {
		if _, err := r.lookInto(ctx, live, cache, name); err != nil {
			return nil, credential.Plan{}, err
		}
	}
	cache.Target.Confirmed, cache.Target.Uncertain, cache.ObjectVersion = cache.Target.Confirmed || plan.Exchanges(s), false, live.ResourceVersion
	if s, err = r.observe(ctx, live, cache, r.readClient); err != nil {
		return nil, credential.Plan{}, err
	}
	return s, credential.Decide(s), nil
}

// observe gathers a view from the cache. It asks the API server only where the cache cannot know: what is in a Secret of which neither
// status nor this process knows the version. The client Secret is observed by observeClient.
func (r *reader) observe(ctx context.Context, obj *v1alpha1.CDPCredential, cache *credential.ObjectCache, observeClient func(context.Context, *credential.State) error) (*credential.State, error) {
	s := r.viewOf(obj, cache)
	obj = s.Object
	var err error
	if err = observeClient(ctx, s); err != nil {
		return nil, err
	}
	if s.Target, err = r.observeTarget(ctx, obj, cache, obj.Spec.Target.Name); err != nil {
		return nil, err
	}
	s.Current = s.Target
	if old := obj.Status.TargetName; old != "" && old != s.Target.Name {
		before, err := r.observeTarget(ctx, obj, cache, old)
		if err != nil {
			return nil, err
		}
		s.PreferNewer(before)
	}
	r.clocks().AdoptStatus(s)
	s.Repeated = credential.RepeatedBefore(s)
	if rec := s.Current.Persisted; rec != nil {
		s.Rejected = obj.Spec.Verify != nil && (cache.Verification.Rejected == rec.TokenMAC || credential.RejectedBefore(s))
		s.UpdateRefused = cache.Token.UpdateRefused == rec.TokenMAC
	}
	cache.Token.Recall(s, &cache.Target)
	if err := r.compareClient(ctx, s, cache); err != nil {
		return nil, err
	}
	cache.Target.Repairs.Confirm(s)
	return s, nil
}

// viewOf is a view of the object alone. What happened has happened, though it could not be written.
func (r *reader) viewOf(obj *v1alpha1.CDPCredential, cache *credential.ObjectCache) *credential.State {
	own := *obj
	s := &credential.State{Now: r.Clock.Now(), ClockAhead: r.clocks().Ahead, Object: &own, SavedStatus: obj.Status, Policy: *r.Policy}
	if cache.Unsaved != nil {
		own.Status = *cache.Unsaved.DeepCopy()
	}
	s.Desired, s.DesiredErr = credential.DesiredFlowOf(&obj.Spec)
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
		return &endingError{cmp.Or(wait, credential.EndingKnownFor)}
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

// cachedClient finds the client Secret in the cache.
func (r *reader) cachedClient(ctx context.Context, s *credential.State) error {
	meta := credential.SecretMetadata(s.Object.Namespace, s.Object.Spec.ClientSecretRef.Name)
	if err := r.Client.Get(ctx, client.ObjectKeyFromObject(meta), meta); apierrors.IsNotFound(err) {
		return nil
	} else if err != nil {
		return fmt.Errorf("read the client Secret's metadata: %w", err)
	}
	s.Client = credential.ClientSecretOf(&meta.ObjectMeta)
	return nil
}

func (r *reader) observeTarget(ctx context.Context, obj *v1alpha1.CDPCredential, cache *credential.ObjectCache, name string) (credential.TargetSecret, error) {
	meta := credential.SecretMetadata(obj.Namespace, name)
	err := r.Client.Get(ctx, client.ObjectKeyFromObject(meta), meta)
	if client.IgnoreNotFound(err) != nil {
		return credential.TargetSecret{}, fmt.Errorf("read the target Secret's metadata: %w", err)
	}
	found := err == nil
	t := credential.TargetSecret{Name: name, Found: found, Version: credential.VersionOf(&meta.ObjectMeta), Metadata: meta.ObjectMeta}
	seen, known := cache.Target.Find(name)
	if known && !found {
		if err := r.notEnding(ctx, obj); err != nil { // before thousands of Secrets are asked for that go with their namespace
			return t, err
		}
	}
	if known && credential.Lags(found, t.Version, seen.Version) {
		// The cache has not seen our own last write, or the Secret has just been deleted: only the API server knows which.
		return r.lookInto(ctx, obj, cache, name)
	}
	if !found || t.Owner() != obj.Name {
		return t, nil
	}
	t.Persisted = r.clocks().ParsePersistedState(t.Metadata.Annotations[v1alpha1.StateAnnotation], obj.Name)
	if !t.Recall(seen, known, &obj.Status) {
		return r.lookInto(ctx, obj, cache, name)
	}
	return t, nil
}

// lookInto reads a target Secret itself and remembers what it found.
func (r *reader) lookInto(ctx context.Context, obj *v1alpha1.CDPCredential, cache *credential.ObjectCache, name string) (credential.TargetSecret, error) {
	t, err := r.readTarget(ctx, obj, name)
	if err != nil {
		return t, err
	}
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

// compareClient says what has changed in what would be sent. The client Secret is read only if its version, or what is asked for, is
// another one than it was when the answer was last found.
func (r *reader) compareClient(ctx context.Context, s *credential.State, cache *credential.ObjectCache) error {
	if s.DesiredErr != nil || !s.Client.Found {
		return nil //nolint:nilerr // what is wrong with the object is the plan's to say
	}
	rec := s.Current.Persisted
	last := s.Object.Status.LastAttempt
	if last != nil && last.Asked == s.Desired.SpecHash && credential.Lags(true, s.Client.Version, last.ClientSecretVersion) {
		// The cache is behind what the last attempt was made with: what it shows is no change.
		if err := r.readClient(ctx, s); err != nil || !s.Client.Found {
			return err
		}
	}
	recordStale := rec != nil && s.Current.HasToken() && (rec.SpecHash != s.Desired.SpecHash || rec.ClientVersion != s.Client.Version)
	if recordStale && credential.SpecDifference(rec, &s.Desired) == credential.Different {
		// Whatever the values are: an exchange only where they differ would tell whether two Secrets hold the same.
		s.Difference, recordStale = credential.Different, false
	}
	return r.compareValues(ctx, s, cache, recordStale)
}

// compareValues says what has changed in the values of the client Secret since the held token was issued, if withRecord is set, and since the last
// failed attempt.
func (r *reader) compareValues(ctx context.Context, s *credential.State, cache *credential.ObjectCache, withRecord bool) error {
	last := s.Object.Status.LastAttempt
	attemptStale := last != nil && last.Generation == s.Object.Generation && last.ClientSecretVersion != s.Client.Version && cache.Client.Attempt != ""
	if !withRecord && !attemptStale {
		return nil
	}
	seen := &cache.Client
	if !seen.IsOf(s, withRecord) {
		if err := r.readClient(ctx, s); err != nil || !s.Client.Found {
			return err
		}
		seen.Compare(s, withRecord, r.salt)
	}
	if withRecord {
		s.Difference = seen.Difference
	}
	s.AttemptUnchanged = attemptStale && seen.Request == seen.Attempt
	return nil
}

// readClient asks the API server for the client Secret, past the cache.
func (r *reader) readClient(ctx context.Context, s *credential.State) error {
	if s.Client.Content != nil {
		return nil
	}
	secret := &corev1.Secret{}
	err := r.Live.Get(ctx, client.ObjectKey{Namespace: s.Object.Namespace, Name: s.Object.Spec.ClientSecretRef.Name}, secret)
	if apierrors.IsNotFound(err) {
		s.Client = credential.ClientSecret{}
		return nil
	}
	if err != nil {
		return &credential.RequestError{Verb: "get", Resource: "secrets", Name: s.Object.Spec.ClientSecretRef.Name, Err: err}
	}
	s.Client = credential.ClientSecretOf(&secret.ObjectMeta)
	s.Client.Content = secret
	return nil
}

// request reads the client Secret and makes the request of it. What cannot be sent is a failure.
func (r *reader) request(ctx context.Context, s *credential.State) (exchange.Request, *credential.Failure, error) {
	if err := r.readClient(ctx, s); err != nil {
		return exchange.Request{}, nil, err
	}
	if f := credential.FindBlocker(s, credential.ActionNone); f != nil { // the cache may have been behind
		return exchange.Request{}, f, nil
	}
	if f := credential.LiveConsent(s); f != nil {
		return exchange.Request{}, f, nil
	}
	req, err := s.Desired.Request(s.Client.Content)
	if err == nil {
		err = req.Check()
	}
	if err != nil {
		return exchange.Request{}, credential.FailureOf(s, err, 0), nil
	}
	return req, nil, nil
}

// valueToKeep reads the held token for what was decided about it. If the Secret has changed since, the next pass decides on what is there now.
func (r *reader) valueToKeep(ctx context.Context, s *credential.State, cache *credential.ObjectCache) (exchange.Secret, error) {
	decidedOn := s.Current.Version
	value, there, err := r.currentToken(ctx, s)
	switch {
	case err != nil:
		return "", err
	case !there:
		cache.Target.ForgetTarget(s.Current.Name)
		return "", fmt.Errorf("read the held token: it is gone")
	case s.Current.Version != decidedOn:
		cache.Target.SawTarget(s.Current.Seen()) // the cache is behind
		return "", fmt.Errorf("read the held token: the Secret has changed")
	}
	return value, nil
}

// currentToken reads the held token, if it is still the one of the record.
func (r *reader) currentToken(ctx context.Context, s *credential.State) (exchange.Secret, bool, error) {
	if s.Current.Secret == nil {
		held, err := r.readTarget(ctx, s.Object, s.Current.Name)
		if err != nil || !held.HasToken() || held.Owner() != s.Object.Name {
			return "", false, err
		}
		moving := s.IsMoving()
		s.Current = held
		if !moving {
			s.Target = held
		}
	}
	return exchange.Secret(s.Current.Persisted.TokenIn(s.Current.Secret.Data)), true, nil
}
