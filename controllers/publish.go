package controllers

import (
	"context"
	"errors"
	"fmt"

	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// rewrite publishes the held token again: in the shape that is wanted now, or under the target's new name.
func (r *CDPCredentialReconciler) rewrite(ctx context.Context, s *credential.State, mem *remembered) (credential.Result, error) {
	if s.Now.Sub(mem.rewriteSince) >= credential.MinIssueInterval || s.Now.Before(mem.rewriteSince) {
		mem.rewriteSince, mem.rewrites = s.Now, 0
	}
	if mem.rewrites++; mem.rewrites > maxRewrites {
		return credential.Result{Waiting: true, At: mem.rewriteSince.Add(credential.MinIssueInterval)}, nil // somebody undoes what we write: he is not to set the pace
	}
	req, f, err := r.request(ctx, s)
	if f != nil || err != nil {
		return credential.Result{Failure: f}, err
	}
	value, err := r.valueToKeep(ctx, s, mem)
	if err != nil {
		return credential.Result{}, err
	}
	rec := *s.Current.Persisted
	if rec.SpecHash == s.Desired.SpecHash && credential.CompareRequests(&rec, req) == credential.Same { // else it has just been changed, which the next pass must still be able to see
		rec.SpecHash, rec.ClientVersion = s.Desired.SpecHash, s.Client.Version
	}
	return r.publish(ctx, s, mem, credential.Republication(req, rec, value))
}

// maxRewrites is how often a target is rewritten within minInterval.
const maxRewrites = 5

// valueToKeep reads the held token for what was decided about it. If the Secret has changed since, the next pass decides on what is there now.
func (r *CDPCredentialReconciler) valueToKeep(ctx context.Context, s *credential.State, mem *remembered) (exchange.Secret, error) {
	decidedOn := s.Current.Version
	value, there, err := r.heldValue(ctx, s)
	switch {
	case err != nil:
		return "", err
	case !there:
		mem.forgetTarget(s.Current.Name)
		return "", fmt.Errorf("read the held token: it is gone")
	case s.Current.Version != decidedOn:
		mem.sawTarget(s.Current.Seen()) // the cache is behind
		return "", fmt.Errorf("read the held token: the Secret has changed")
	}
	return value, nil
}

// heldValue reads the held token, if it is still the one of the record.
func (r *CDPCredentialReconciler) heldValue(ctx context.Context, s *credential.State) (exchange.Secret, bool, error) {
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

// publish writes the target and brings the view up to date with it.
func (r *CDPCredentialReconciler) publish(ctx context.Context, s *credential.State, mem *remembered, p *credential.Publication) (credential.Result, error) {
	version, err := r.write(ctx, s, mem, p)
	if err != nil {
		result, err := r.unwritten(ctx, s, mem, err)
		if err != nil && !errors.Is(err, errSuperseded) {
			mem.uncertain = mem.pending == nil // a token in the hand finds out when it is written again
		}
		return result, err
	}
	mem.pending, mem.confirmed, mem.uncertain = nil, true, false
	want := credential.DesiredMetadata(s.Object, p.Persisted.LocalExpiry(), p.Persisted.Shared)
	s.ClockAhead = p.Persisted.ClockAhead
	s.Target = credential.TargetSecret{Name: s.Target.Name, Found: true, Version: version, Persisted: &p.Persisted, Content: credential.ContentIntact, ForeignKeys: credential.Without(s.Target.ForeignKeys, p.Persisted.Keys)}
	mem.sawTarget(s.Target.Seen())
	s.Target.Metadata.Labels, s.Target.Metadata.Annotations, s.Target.Metadata.OwnerReferences = want.Labels, want.Annotations, want.OwnerReferences(nil)
	s.Current = s.Target
	s.Repeated = s.Repeated && p.Repeated
	return credential.Result{Wrote: true}, nil
}
