package controllers

import (
	"context"
	"errors"
	"fmt"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// rewrite publishes the held token again: in the shape that is wanted now, or under the target's new name.
func (r *CDPCredentialReconciler) rewrite(ctx context.Context, v *view, mem *remembered) (outcome, error) {
	if v.now.Sub(mem.rewriteSince) >= minInterval || v.now.Before(mem.rewriteSince) {
		mem.rewriteSince, mem.rewrites = v.now, 0
	}
	if mem.rewrites++; mem.rewrites > maxRewrites {
		return outcome{waiting: true, at: mem.rewriteSince.Add(minInterval)}, nil // somebody undoes what we write: he is not to set the pace
	}
	req, f, err := r.request(ctx, v)
	if f != nil || err != nil {
		return outcome{failure: f}, err
	}
	value, err := r.valueToKeep(ctx, v, mem)
	if err != nil {
		return outcome{}, err
	}
	rec := *v.held.rec
	if rec.Asked == v.intent.asked && compareRequests(&rec, req) == same { // else it has just been changed, which the next pass must still be able to see
		rec.Asked, rec.Client = v.intent.asked, v.client.version
	}
	return r.publish(ctx, v, mem, publicationOfHeld(req, rec, value))
}

// maxRewrites is how often a target is rewritten within minInterval.
const maxRewrites = 5

// valueToKeep reads the held token for what was decided about it. If the Secret has changed since, the next pass decides on what is there now.
func (r *CDPCredentialReconciler) valueToKeep(ctx context.Context, v *view, mem *remembered) (exchange.Secret, error) {
	decidedOn := v.held.version
	value, there, err := r.heldValue(ctx, v)
	switch {
	case err != nil:
		return "", err
	case !there:
		mem.forgetTarget(v.held.name)
		return "", fmt.Errorf("read the held token: it is gone")
	case v.held.version != decidedOn:
		mem.sawTarget(v.held.seen()) // the cache is behind
		return "", fmt.Errorf("read the held token: the Secret has changed")
	}
	return value, nil
}

// heldValue reads the held token, if it is still the one of the record.
func (r *CDPCredentialReconciler) heldValue(ctx context.Context, v *view) (exchange.Secret, bool, error) {
	if v.held.secret == nil {
		held, err := r.readTarget(ctx, v.obj, v.held.name)
		if err != nil || !held.has() || held.owner() != v.obj.Name {
			return "", false, err
		}
		moving := v.moving()
		v.held = held
		if !moving {
			v.target = held
		}
	}
	return exchange.Secret(v.held.rec.tokenIn(v.held.secret.Data)), true, nil
}

// publish writes the target and brings the view up to date with it.
func (r *CDPCredentialReconciler) publish(ctx context.Context, v *view, mem *remembered, p *publication) (outcome, error) {
	version, err := r.write(ctx, v, mem, p)
	if err != nil {
		out, err := r.unwritten(ctx, v, mem, err)
		if err != nil && !errors.Is(err, errSuperseded) {
			mem.uncertain = mem.pending == nil // a token in the hand finds out when it is written again
		}
		return out, err
	}
	mem.pending, mem.confirmed, mem.uncertain = nil, true, false
	want := wantedMetadata(v.obj, p.rec.shownExpiry(), p.rec.Shared)
	v.ahead = p.rec.ahead
	v.target = targetView{name: v.target.name, found: true, version: version, rec: &p.rec, content: intact, foreign: without(v.target.foreign, p.rec.Keys)}
	mem.sawTarget(v.target.seen())
	v.target.meta.Labels, v.target.meta.Annotations, v.target.meta.OwnerReferences = want.labels, want.annotations, want.owners(nil)
	v.held = v.target
	v.repeated = v.repeated && p.repeated
	return outcome{wrote: true}, nil
}
