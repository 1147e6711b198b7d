package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
)

// observe gathers a view from the cache. It asks the API server only where the cache cannot know: what is in a Secret of which neither
// status nor this process knows the version. The client Secret is observed by observeClient.
func (r *CDPCredentialReconciler) observe(ctx context.Context, obj *v1alpha1.CDPCredential, mem *remembered, observeClient func(context.Context, *credential.State) error) (*credential.State, error) {
	s := r.viewOf(obj, mem)
	obj = s.Object
	var err error
	if err = observeClient(ctx, s); err != nil {
		return nil, err
	}
	if s.Target, err = r.observeTarget(ctx, obj, mem, obj.Spec.Target.Name); err != nil {
		return nil, err
	}
	s.Current = s.Target
	if old := obj.Status.TargetName; old != "" && old != s.Target.Name {
		before, err := r.observeTarget(ctx, obj, mem, old)
		if err != nil {
			return nil, err
		}
		newer := !s.Target.HasToken() || before.Persisted != nil && before.Persisted.IssuedAt.After(s.Target.Persisted.IssuedAt)
		if newer && before.HoldsToken(s.Now) && before.Owner() == obj.Name {
			s.Current = before
		}
	}
	r.clocks().AdoptStatus(s)
	s.Repeated = credential.RepeatedBefore(s)
	if rec := s.Current.Persisted; rec != nil {
		s.Rejected = obj.Spec.Verify != nil && (mem.rejected == rec.TokenMAC || credential.RejectedBefore(s))
		s.UpdateRefused = mem.updateRefused == rec.TokenMAC
	}
	r.recallIssued(s, mem)
	if err := r.compareClient(ctx, s, mem); err != nil {
		return nil, err
	}
	mem.repairs.Confirm(s)
	return s, nil
}

// viewOf is a view of the object alone. What happened has happened, though it could not be written.
func (r *CDPCredentialReconciler) viewOf(obj *v1alpha1.CDPCredential, mem *remembered) *credential.State {
	own := *obj
	s := &credential.State{Now: r.Clock.Now(), ClockAhead: r.clocks().Ahead, Object: &own, SavedStatus: obj.Status, AllowedHosts: r.AllowedHosts, TokenHostsOnly: r.TokenHostsOnly, AllowedMetadata: r.AllowedMetadata}
	if mem.unsaved != nil {
		own.Status = *mem.unsaved.DeepCopy()
	}
	s.Desired, s.DesiredErr = credential.DesiredFlowOf(&obj.Spec)
	return s
}

// recallIssued brings what this process remembers of the last token that it was given.
func (r *CDPCredentialReconciler) recallIssued(s *credential.State, mem *remembered) {
	if p := mem.pending; p != nil && s.Target.HasToken() && !s.Target.Persisted.IssuedAt.Before(p.Persisted.IssuedAt) {
		mem.confirmed = mem.confirmed || s.Target.Persisted.IssuedAt.Equal(p.Persisted.IssuedAt)
		mem.pending = nil // it was written after all, or overtaken: the answer to the write was lost
	}
	s.Repairs = mem.repairs.Quick
	s.HasPendingToken, s.Issuance, s.LastIssuedAt, s.Throttled = mem.pending != nil, mem.issuance, mem.issuedAt, mem.throttled != nil
	s.LastNewTokenAt = mem.issuedAt
	if mem.repeatedAt.After(s.LastIssuedAt) {
		s.LastIssuedAt = mem.repeatedAt
	}
}

// cachedClient finds the client Secret in the cache.
func (r *CDPCredentialReconciler) cachedClient(ctx context.Context, s *credential.State) error {
	meta := secretMetadata(s.Object.Namespace, s.Object.Spec.ClientSecretRef.Name)
	if err := r.Client.Get(ctx, client.ObjectKeyFromObject(meta), meta); apierrors.IsNotFound(err) {
		return nil
	} else if err != nil {
		return fmt.Errorf("read the client Secret's metadata: %w", err)
	}
	s.Client = credential.ClientSecretOf(&meta.ObjectMeta)
	return nil
}

func (r *CDPCredentialReconciler) observeTarget(ctx context.Context, obj *v1alpha1.CDPCredential, mem *remembered, name string) (credential.TargetSecret, error) {
	meta := secretMetadata(obj.Namespace, name)
	err := r.Client.Get(ctx, client.ObjectKeyFromObject(meta), meta)
	if client.IgnoreNotFound(err) != nil {
		return credential.TargetSecret{}, fmt.Errorf("read the target Secret's metadata: %w", err)
	}
	found := err == nil
	t := credential.TargetSecret{Name: name, Found: found, Version: credential.VersionOf(&meta.ObjectMeta), Metadata: meta.ObjectMeta}
	seen, known := mem.seen(name)
	if known && !found {
		if err := r.notEnding(ctx, obj); err != nil { // before thousands of Secrets are asked for that go with their namespace
			return t, err
		}
	}
	if known && credential.Lags(found, t.Version, seen.Version) {
		// The cache has not seen our own last write, or the Secret has just been deleted: only the API server knows which.
		return r.lookInto(ctx, obj, mem, name)
	}
	if !found || t.Owner() != obj.Name {
		return t, nil
	}
	t.Persisted = r.clocks().ParsePersistedState(t.Metadata.Annotations[v1alpha1.StateAnnotation], obj.Name)
	switch {
	case known && seen.Version == t.Version:
		t.Content, t.Unusable, t.ForeignKeys = seen.Content, seen.Unusable, seen.ForeignKeys
	case t.Persisted != nil && obj.Status.TargetName == name && obj.Status.TargetVersion == t.Version:
		t.Content = credential.ContentIntact
		if t.Persisted.Shared {
			t.ForeignKeys = credential.SomeForeign
		}
	default:
		return r.lookInto(ctx, obj, mem, name)
	}
	if other := credential.Controlled(&t.Metadata); other != "" {
		t.Unusable = other
	}
	return t, nil
}

// lookInto reads a target Secret itself and remembers what it found.
func (r *CDPCredentialReconciler) lookInto(ctx context.Context, obj *v1alpha1.CDPCredential, mem *remembered, name string) (credential.TargetSecret, error) {
	t, err := r.readTarget(ctx, obj, name)
	if err != nil {
		return t, err
	}
	mem.uncertain = mem.uncertain && name != obj.Spec.Target.Name
	if !t.Found {
		mem.forgetTarget(name)
	} else {
		mem.sawTarget(t.Seen())
	}
	return t, nil
}

// readTarget asks the API server for a target Secret, past the cache, and judges what is in it.
func (r *CDPCredentialReconciler) readTarget(ctx context.Context, obj *v1alpha1.CDPCredential, name string) (credential.TargetSecret, error) {
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
func (r *CDPCredentialReconciler) compareClient(ctx context.Context, s *credential.State, mem *remembered) error {
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
	return r.compareValues(ctx, s, mem, recordStale)
}

// compareValues says what has changed in the values of the client Secret since the held token was issued, if withRecord is set, and since the last
// failed attempt.
func (r *CDPCredentialReconciler) compareValues(ctx context.Context, s *credential.State, mem *remembered, withRecord bool) error {
	last := s.Object.Status.LastAttempt
	attemptStale := last != nil && last.Generation == s.Object.Generation && last.ClientSecretVersion != s.Client.Version && mem.client.attempt != ""
	if !withRecord && !attemptStale {
		return nil
	}
	seen := &mem.client
	if !seen.is(s, withRecord) {
		if err := r.readClient(ctx, s); err != nil || !s.Client.Found {
			return err
		}
		r.compare(s, seen, withRecord)
	}
	if withRecord {
		s.Difference = seen.difference
	}
	s.AttemptUnchanged = attemptStale && seen.request == seen.attempt
	return nil
}

// is says whether what was seen last is of what there is now.
func (seen *seenClient) is(s *credential.State, compared bool) bool {
	return seen.version == s.Client.Version && seen.asked == s.Desired.SpecHash && (!compared || seen.against == s.Current.Persisted.RequestHash)
}

// compare remembers what the client Secret, as it was just read, comes to.
func (r *CDPCredentialReconciler) compare(s *credential.State, seen *seenClient, withRecord bool) {
	*seen = seenClient{version: s.Client.Version, asked: s.Desired.SpecHash, attempt: seen.attempt, difference: credential.Different}
	if withRecord {
		seen.against = s.Current.Persisted.RequestHash
	}
	req, err := s.Desired.Request(s.Client.Content)
	if err != nil {
		return // a value is missing, which the attempt will report
	}
	seen.request = credential.AttemptFingerprint(r.salt[:], s, req)
	if withRecord {
		seen.difference = credential.CompareRequests(s.Current.Persisted, req)
	}
}

// readClient asks the API server for the client Secret, past the cache.
func (r *CDPCredentialReconciler) readClient(ctx context.Context, s *credential.State) error {
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
