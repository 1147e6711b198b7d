// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
)

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

// decide observes and plans. Where it matters most it does so with what the API server says: the cache that a process begins with may be of before
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

// A reader finds out what there is, from the cache and, where that cannot know, from the API server. It changes nothing.
type reader struct {
	*Cluster
	*credential.Policy
	*Sources
	endings *credential.NamespaceEndings
	// salt keys the fingerprints that never leave this process.
	salt []byte
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
