// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// A targetWriter writes target Secrets.
type targetWriter struct {
	*reader
	ownWrites *credential.OwnWrites
}

// rewrite publishes the held token again: in the shape that is wanted now, or under the target's new name.
func (r *tokenReconciler) rewrite(ctx context.Context, s *credential.State, cache *credential.ObjectCache) (credential.Result, error) {
	if at := cache.Target.RewriteAt(s.Now); !at.IsZero() {
		return credential.Result{Waiting: true, At: at}, nil
	}
	req, f, err := r.request(ctx, s)
	if f != nil || err != nil {
		return credential.Result{Failure: f}, err
	}
	value, err := r.valueToKeep(ctx, s, cache)
	if err != nil {
		return credential.Result{}, err
	}
	return r.publish(ctx, s, cache, credential.CurrentToken(s, req, value))
}

// publish writes the target and brings the view up to date with it.
func (r *tokenReconciler) publish(ctx context.Context, s *credential.State, cache *credential.ObjectCache, p *credential.Publication) (credential.Result, error) {
	version, err := r.write(ctx, s, cache, p)
	if err != nil {
		result, err := r.unwritten(ctx, s, cache, err)
		if err != nil && !errors.Is(err, credential.ErrSuperseded) {
			cache.Target.Uncertain = cache.Token.Pending == nil // a token in the hand finds out when it is written again
		}
		return result, err
	}
	cache.Token.Pending, cache.Target.Confirmed, cache.Target.Uncertain = nil, true, false
	result := credential.Written(s, version)
	s.Published(p, version)
	cache.Target.SawTarget(s.Target.Seen())
	return result, nil
}

// unwritten says what comes of a write that failed.
func (r *tokenReconciler) unwritten(ctx context.Context, s *credential.State, cache *credential.ObjectCache, err error) (credential.Result, error) {
	if foreign, ok := errors.AsType[*credential.NotOursError](err); ok {
		s.Target = foreign.Target
		return credential.Result{Failure: credential.FindBlocker(s, credential.ActionNone)}, nil
	}
	switch {
	case errors.Is(err, credential.ErrSuperseded):
		cache.Token.Pending = nil
		return credential.Result{}, err
	case errors.Is(err, credential.ErrNamespaceTerminating):
		cache.Target.Terminating, cache.Token.Pending = true, nil
		return credential.Result{Waiting: true}, nil
	}
	refusal, ok := credential.WriteRefusalOf(err)
	if !ok {
		return credential.Result{}, err
	}
	ctrl.LoggerFrom(ctx).Info("The API server refused to have the target Secret written", "secret", s.Target.Name, "answer", refusal.Answer, "by", refusal.By)
	return credential.Result{Failure: refusal.Failure(s)}, nil
}

// rehearse has the API server try the write of the target without doing it: after a refusal no token is asked for that could not be written either. It
// gives what is in the way.
func (r *tokenReconciler) rehearse(ctx context.Context, s *credential.State, cache *credential.ObjectCache, plan credential.Plan, req exchange.Request) (credential.Result, error) {
	if s.Object.Status.WriteRefusals == 0 || !s.Desired.Flow.Exchanges() {
		return credential.Result{}, nil
	}
	salt, err := r.random(16)
	if err != nil {
		return credential.Result{}, err
	}
	p := credential.NewRehearsal(s, plan, req, salt)
	if _, err = r.write(ctx, s, cache, p); err == nil {
		return credential.Result{}, nil
	}
	return r.unwritten(ctx, s, cache, err)
}

// write publishes p in the target Secret and returns its version. It touches no Secret that is not ours, whatever the cache said.
func (r *targetWriter) write(ctx context.Context, s *credential.State, cache *credential.ObjectCache, p *credential.Publication) (string, error) {
	r.clocks().Stamp(&p.Persisted)
	data, err := credential.TargetData(s.Object, p)
	if err != nil {
		return "", err
	}
	p.Persisted.DescribeTarget(&s.Object.Spec.Target, data)
	want, err := r.describe(s, p, data)
	if err != nil {
		return "", err
	}

	target := s.Target
	for range 3 { // a token in the hand is not given up because somebody else wrote the Secret at the same moment
		if p.Persisted.Expired(r.Clock.Now()) {
			return "", credential.ErrSuperseded // this process was stopped for a while between the answer and now
		}
		var written *metav1.ObjectMeta
		if target.Found {
			written, err = r.patchTarget(ctx, s.Object.Namespace, &target, want, data, p.DryRun)
		} else {
			written, err = r.createTarget(ctx, s.Object, want, data, p.DryRun)
		}
		switch {
		case err == nil:
			if !p.DryRun {
				r.expectEvent(s.Object, want, written)
			}
			return credential.VersionOf(written), nil
		case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
			return "", credential.ErrNamespaceTerminating
		case !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) && !apierrors.IsNotFound(err):
			return "", err
		}
		// What is found is remembered: the cache may take a while to show it.
		if target, err = r.lookInto(ctx, s.Object, cache, s.Target.Name); err != nil {
			return "", err
		}
		if target.Found && (target.Owner() != s.Object.Name || target.Unusable != "") {
			return "", &credential.NotOursError{Target: target}
		}
		switch {
		case target.Records([]byte(want.Annotations[v1alpha1.StateAnnotation])):
			return target.Version, nil // it was written already, and the answer to that was lost
		case target.HasToken() && !p.Persisted.IssuedAt.After(target.Persisted.IssuedAt):
			return "", credential.ErrSuperseded // another replica has written a token since
		}
		s.Target.ForeignKeys = target.ForeignKeys // there may be a key of somebody else in it now
		if want, err = r.describe(s, p, data); err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("write Secret %s: it kept changing", s.Target.Name)
}

// expectEvent remembers what was written, for its event. What a webhook has changed is left to the next pass, which the event makes.
func (r *targetWriter) expectEvent(obj *v1alpha1.CDPCredential, want credential.TargetMetadata, written *metav1.ObjectMeta) {
	if want.IsOn(written) {
		r.ownWrites.Wrote(client.ObjectKeyFromObject(obj), credential.VersionOf(written))
	}
}

// describe completes the record for a target that holds what the view says of it, and gives the metadata that it is to be written with.
func (r *targetWriter) describe(s *credential.State, p *credential.Publication, data map[string][]byte) (credential.TargetMetadata, error) {
	if !p.Revised {
		if !credential.KeepsDataRevision(s, &p.Persisted) {
			id, err := r.random(8)
			if err != nil {
				return credential.TargetMetadata{}, err
			}
			credential.SetDataRevision(s, &p.Persisted, id)
		}
		p.Revised = true
	}
	return p.TargetMetadata(s, data)
}

func (r *targetWriter) createTarget(ctx context.Context, obj *v1alpha1.CDPCredential, want credential.TargetMetadata, data map[string][]byte, rehearsal bool) (*metav1.ObjectMeta, error) {
	secret := credential.NewTarget(obj, want, data)
	opts := []client.CreateOption{client.FieldOwner(v1alpha1.ManagedBy)}
	if rehearsal {
		opts = append(opts, client.DryRunAll)
	}
	if err := r.Client.Create(ctx, secret, opts...); err != nil {
		return nil, &credential.RequestError{Verb: "create", Resource: "secrets", Name: secret.Name, Err: err}
	}
	return &secret.ObjectMeta, nil
}

// patchTarget changes our own keys and no others, and only if the Secret is still the one that was decided on.
func (r *targetWriter) patchTarget(ctx context.Context, namespace string, target *credential.TargetSecret, want credential.TargetMetadata, data map[string][]byte, rehearsal bool) (*metav1.ObjectMeta, error) {
	patch, err := target.Patch(want, data)
	if err != nil {
		return nil, err
	}
	got := credential.SecretMetadata(namespace, target.Name)
	opts := []client.PatchOption{client.FieldOwner(v1alpha1.ManagedBy)}
	if rehearsal {
		opts = append(opts, client.DryRunAll)
	}
	if err := r.Client.Patch(ctx, got, client.RawPatch(types.MergePatchType, patch), opts...); err != nil {
		return nil, &credential.RequestError{Verb: "patch", Resource: "secrets", Name: target.Name, Err: err}
	}
	return &got.ObjectMeta, nil
}
