package controllers

import (
	"context"
	"errors"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// rewrite publishes the held token again: in the shape that is wanted now, or under the target's new name.
func (r *tokenReconciler) rewrite(ctx context.Context, s *credential.State, cache *objectCache) (credential.Result, error) {
	if s.Now.Sub(cache.target.RewriteSince) >= credential.MinIssueInterval || s.Now.Before(cache.target.RewriteSince) {
		cache.target.RewriteSince, cache.target.Rewrites = s.Now, 0
	}
	if cache.target.Rewrites++; cache.target.Rewrites > maxRewrites {
		return credential.Result{Waiting: true, At: cache.target.RewriteSince.Add(credential.MinIssueInterval)}, nil // another writer keeps reverting us; do not let it drive our reconcile rate
	}
	req, f, err := r.request(ctx, s)
	if f != nil || err != nil {
		return credential.Result{Failure: f}, err
	}
	value, err := r.valueToKeep(ctx, s, cache)
	if err != nil {
		return credential.Result{}, err
	}
	rec := *s.Current.Persisted
	if rec.SpecHash == s.Desired.SpecHash && credential.CompareRequests(&rec, req) == credential.Same { // else it has just been changed, which the next pass must still be able to see
		rec.SpecHash, rec.ClientVersion = s.Desired.SpecHash, s.Client.Version
	}
	return r.publish(ctx, s, cache, credential.Republication(req, rec, value))
}

// maxRewrites is how often a target is rewritten within minInterval.
const maxRewrites = 5

// publish writes the target and brings the view up to date with it.
func (r *tokenReconciler) publish(ctx context.Context, s *credential.State, cache *objectCache, p *credential.Publication) (credential.Result, error) {
	version, err := r.write(ctx, s, cache, p)
	if err != nil {
		result, err := r.unwritten(ctx, s, cache, err)
		if err != nil && !errors.Is(err, credential.ErrSuperseded) {
			cache.target.Uncertain = cache.token.Pending == nil // a token in the hand finds out when it is written again
		}
		return result, err
	}
	cache.token.Pending, cache.target.Confirmed, cache.target.Uncertain = nil, true, false
	want := credential.DesiredMetadata(s.Object, p.Persisted.LocalExpiry(), p.Persisted.Shared)
	s.ClockAhead = p.Persisted.ClockAhead
	s.Target = credential.TargetSecret{Name: s.Target.Name, Found: true, Version: version, Persisted: &p.Persisted, Content: credential.ContentIntact, ForeignKeys: credential.Without(s.Target.ForeignKeys, p.Persisted.Keys)}
	cache.target.SawTarget(s.Target.Seen())
	s.Target.Metadata.Labels, s.Target.Metadata.Annotations, s.Target.Metadata.OwnerReferences = want.Labels, want.Annotations, want.OwnerReferences(nil)
	s.Current = s.Target
	s.Repeated = s.Repeated && p.Repeated
	return credential.Result{Wrote: true}, nil
}

// unwritten says what comes of a write that failed.
func (r *tokenReconciler) unwritten(ctx context.Context, s *credential.State, cache *objectCache, err error) (credential.Result, error) {
	if foreign, ok := errors.AsType[*credential.NotOursError](err); ok {
		s.Target = foreign.Target
		return credential.Result{Failure: credential.FindBlocker(s, credential.ActionNone)}, nil
	}
	switch {
	case errors.Is(err, credential.ErrSuperseded):
		cache.token.Pending = nil
		return credential.Result{}, err
	case errors.Is(err, credential.ErrNamespaceTerminating):
		cache.target.Terminating, cache.token.Pending = true, nil
		return credential.Result{Waiting: true}, nil
	}
	refusal, ok := credential.WriteRefusalOf(err)
	if !ok {
		return credential.Result{}, err
	}
	ctrl.LoggerFrom(ctx).Info("The API server refused to have the target Secret written", "secret", s.Target.Name, "answer", refusal.Answer, "by", refusal.By)
	return credential.Result{Failure: refusal.Failure(s)}, nil
}

// placeholder is written in a rehearsal in place of a token.
const placeholder = "placeholder-for-a-token"

// rehearse has the API server try the write of the target without doing it: after a refusal no token is asked for that could not be written either. It
// gives what is in the way.
func (r *tokenReconciler) rehearse(ctx context.Context, s *credential.State, cache *objectCache, plan credential.Plan, req exchange.Request) (credential.Result, error) {
	if s.Object.Status.WriteRefusals == 0 || !s.Desired.Flow.Exchanges() {
		return credential.Result{}, nil
	}
	life := token.Life{IssuedAt: s.Now, ExpiresAt: s.Now.Add(time.Hour)}
	salt, err := r.random(16)
	if err != nil {
		return credential.Result{}, err
	}
	p := credential.NewPublication(s, credential.Plan{Action: credential.ActionIssue, Cause: plan.Cause}, req, exchange.Token{Value: placeholder, Type: "Bearer", Life: life}, salt)
	p.DryRun = true
	if _, err = r.write(ctx, s, cache, p); err == nil {
		return credential.Result{}, nil
	}
	return r.unwritten(ctx, s, cache, err)
}
