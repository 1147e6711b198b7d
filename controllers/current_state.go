package controllers

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
)

// blindView is a view without what the API server would have to be asked for.
func (r *reader) blindView(ctx context.Context, obj *v1alpha1.CDPCredential, cache *objectCache) *credential.State {
	s := r.viewOf(obj, cache)
	secret := secretMetadata(obj.Namespace, obj.Spec.Target.Name)
	if err := r.Client.Get(ctx, client.ObjectKeyFromObject(secret), secret); err == nil {
		s.Current.Persisted = r.clocks().ParsePersistedState(secret.Annotations[v1alpha1.StateAnnotation], obj.Name)
	}
	r.clocks().AdoptStatus(s)
	return s
}

// catchUp gives the object with at least what this process wrote. Nil: wait for the cache. One that does not catch up is passed by: a watch may
// hang for minutes, and the API server's data may have gone back to a backup.
func (r *reader) catchUp(ctx context.Context, obj *v1alpha1.CDPCredential, cache *objectCache) (*v1alpha1.CDPCredential, error) {
	if !credential.Older(obj.ResourceVersion, cache.objectVersion) {
		cache.lagging = time.Time{}
		return obj, nil
	}
	now := r.Clock.Now()
	if cache.lagging.IsZero() || now.Before(cache.lagging) {
		cache.lagging = now
	}
	if now.Sub(cache.lagging) < credential.MaxLag {
		return nil, nil
	}
	live, err := r.readObject(ctx, obj)
	if live != nil && credential.Older(live.ResourceVersion, cache.objectVersion) {
		cache.objectVersion, cache.target.Seen = "", nil
	}
	return live, err
}

// decide observes and plans. Where it matters most it does so with what the API server says: the cache that a process begins with may be of before
// the last writes of the process before it, and its watch of Secrets may be further behind than that of objects. A token costs more than two
// reads, and what is reported of an obstacle takes the place of a back-off that is still to be waited out. Nil: the object is gone.
func (r *reader) decide(ctx context.Context, obj *v1alpha1.CDPCredential, cache *objectCache) (*credential.State, credential.Plan, error) {
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
	exchanges := (plan.Action == credential.ActionIssue || plan.Action == credential.ActionUpdate) && s.Desired.Flow.Exchanges()
	nothingToLose := s.SavedStatus.LastRefreshTime == nil && s.SavedStatus.LastAttempt == nil && !s.Current.Found && !cache.target.Uncertain
	if nothingToLose || (!exchanges || cache.target.Confirmed && !cache.target.Uncertain) && !credential.IsNewBlocker(s, plan) {
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
	cache.target.Confirmed, cache.target.Uncertain, cache.objectVersion = cache.target.Confirmed || exchanges, false, live.ResourceVersion
	if s, err = r.observe(ctx, live, cache, r.readClient); err != nil {
		return nil, credential.Plan{}, err
	}
	return s, credential.Decide(s), nil
}

// observe gathers a view from the cache. It asks the API server only where the cache cannot know: what is in a Secret of which neither
// status nor this process knows the version. The client Secret is observed by observeClient.
func (r *reader) observe(ctx context.Context, obj *v1alpha1.CDPCredential, cache *objectCache, observeClient func(context.Context, *credential.State) error) (*credential.State, error) {
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
		newer := !s.Target.HasToken() || before.Persisted != nil && before.Persisted.IssuedAt.After(s.Target.Persisted.IssuedAt)
		if newer && before.HoldsToken(s.Now) && before.Owner() == obj.Name {
			s.Current = before
		}
	}
	r.clocks().AdoptStatus(s)
	s.Repeated = credential.RepeatedBefore(s)
	if rec := s.Current.Persisted; rec != nil {
		s.Rejected = obj.Spec.Verify != nil && (cache.verification.Rejected == rec.TokenMAC || credential.RejectedBefore(s))
		s.UpdateRefused = cache.token.UpdateRefused == rec.TokenMAC
	}
	cache.token.Recall(s, &cache.target)
	if err := r.compareClient(ctx, s, cache); err != nil {
		return nil, err
	}
	cache.target.Repairs.Confirm(s)
	return s, nil
}

// viewOf is a view of the object alone. What happened has happened, though it could not be written.
func (r *reader) viewOf(obj *v1alpha1.CDPCredential, cache *objectCache) *credential.State {
	own := *obj
	s := &credential.State{Now: r.Clock.Now(), ClockAhead: r.clocks().Ahead, Object: &own, SavedStatus: obj.Status, AllowedHosts: r.AllowedHosts, TokenHostsOnly: r.TokenHostsOnly, AllowedMetadata: r.AllowedMetadata}
	if cache.unsaved != nil {
		own.Status = *cache.unsaved.DeepCopy()
	}
	s.Desired, s.DesiredErr = credential.DesiredFlowOf(&obj.Spec)
	return s
}

// A reader finds out what there is, from the cache and, where that cannot know, from the API server. It changes nothing.
type reader struct {
	*Cluster
	*Policy
	*Sources
	endings *credential.NamespaceEndings
	// salt keys the fingerprints that never leave this process.
	salt []byte
}
