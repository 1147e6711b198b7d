// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

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
