package controllers

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
)

const (
	// cacheLag is how long a cache is given to catch up when nothing else wakes the object, mostLag how long in all.
	cacheLag = 100 * time.Millisecond
	mostLag  = 10 * time.Second
)

// catchUp gives the object with at least what this process wrote. Nil: wait for the cache. One that does not catch up is passed by: a watch may
// hang for minutes, and the API server's data may have gone back to a backup.
func (r *CDPCredentialReconciler) catchUp(ctx context.Context, obj *v1alpha1.CDPCredential, mem *remembered) (*v1alpha1.CDPCredential, error) {
	if !credential.Older(obj.ResourceVersion, mem.objectVersion) {
		mem.lagging = time.Time{}
		return obj, nil
	}
	now := r.Clock.Now()
	if mem.lagging.IsZero() || now.Before(mem.lagging) {
		mem.lagging = now
	}
	if now.Sub(mem.lagging) < mostLag {
		return nil, nil
	}
	live, err := r.readObject(ctx, obj)
	if live != nil && credential.Older(live.ResourceVersion, mem.objectVersion) {
		mem.objectVersion, mem.targets = "", nil
	}
	return live, err
}

// decide observes and plans. Where it matters most it does so with what the API server says: the cache that a process begins with may be of before
// the last writes of the process before it, and its watch of Secrets may be further behind than that of objects. A token costs more than two
// reads, and what is reported of an obstacle takes the place of a back-off that is still to be waited out. Nil: the object is gone.
func (r *CDPCredentialReconciler) decide(ctx context.Context, obj *v1alpha1.CDPCredential, mem *remembered) (*credential.State, credential.Plan, error) {
	s, err := r.observe(ctx, obj, mem, r.cachedClient)
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
	nothingToLose := s.SavedStatus.LastRefreshTime == nil && s.SavedStatus.LastAttempt == nil && !s.Current.Found && !mem.uncertain
	if nothingToLose || (!exchanges || mem.confirmed && !mem.uncertain) && !credential.IsNewBlocker(s, plan) {
		return s, plan, nil
	}
	live, err := r.readObject(ctx, obj)
	if live == nil || err != nil {
		return nil, credential.Plan{}, err
	}
	for _, name := range credential.TargetNames(live) {
		if _, err := r.lookInto(ctx, live, mem, name); err != nil {
			return nil, credential.Plan{}, err
		}
	}
	mem.confirmed, mem.uncertain, mem.objectVersion = mem.confirmed || exchanges, false, live.ResourceVersion
	if s, err = r.observe(ctx, live, mem, r.readClient); err != nil {
		return nil, credential.Plan{}, err
	}
	return s, credential.Decide(s), nil
}

// readObject asks the API server for the object. Nil: it is gone, which the cache will show, too.
func (r *CDPCredentialReconciler) readObject(ctx context.Context, obj *v1alpha1.CDPCredential) (*v1alpha1.CDPCredential, error) {
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
