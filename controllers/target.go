// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
)

// A targetWriter writes target Secrets.
type targetWriter struct {
	*reader
	ownWrites *credential.OwnWrites
}

// write publishes p in the target Secret and returns its version. It fails if the Secret has changed since the state was observed.
func (r *targetWriter) write(ctx context.Context, s *credential.State, p *credential.Publication) (string, error) {
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
	if p.Persisted.Expired(r.Clock.Now()) {
		return "", credential.ErrSuperseded // the process was suspended since the answer came
	}
	written, err := r.createOrPatch(ctx, s, want, data, p.DryRun)
	switch {
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return "", credential.ErrNamespaceTerminating
	case apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err):
		return "", fmt.Errorf("write Secret %s: %w", s.Target.Name, credential.ErrConflict)
	case err != nil:
		return "", err
	}
	if !p.DryRun {
		r.expectEvent(s.Object, want, written)
	}
	return credential.VersionOf(written), nil
}

// expectEvent remembers a write, so that its event causes no reconcile. If a webhook has changed what was written, the event must cause one.
func (r *targetWriter) expectEvent(obj *v1alpha1.CDPCredential, want credential.TargetMetadata, written *metav1.ObjectMeta) {
	if want.IsOn(written) {
		r.ownWrites.Wrote(client.ObjectKeyFromObject(obj), credential.VersionOf(written))
	}
}

// describe completes the persisted state and returns the target's metadata.
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

// createOrPatch creates the target, or patches our own keys and nothing else.
func (r *targetWriter) createOrPatch(ctx context.Context, s *credential.State, want credential.TargetMetadata, data map[string][]byte, dryRun bool) (*metav1.ObjectMeta, error) {
	if !s.Target.Found {
		secret := credential.NewTarget(s.Object, want, data)
		opts := []client.CreateOption{client.FieldOwner(v1alpha1.ManagedBy)}
		if dryRun {
			opts = append(opts, client.DryRunAll)
		}
		if err := r.Client.Create(ctx, secret, opts...); err != nil {
			return nil, &credential.RequestError{Verb: "create", Resource: "secrets", Name: secret.Name, Err: err}
		}
		return &secret.ObjectMeta, nil
	}
	patch, err := s.Target.Patch(want, data)
	if err != nil {
		return nil, err
	}
	got := credential.SecretMetadata(s.Object.Namespace, s.Target.Name)
	opts := []client.PatchOption{client.FieldOwner(v1alpha1.ManagedBy)}
	if dryRun {
		opts = append(opts, client.DryRunAll)
	}
	if err := r.Client.Patch(ctx, got, client.RawPatch(types.MergePatchType, patch), opts...); err != nil {
		return nil, &credential.RequestError{Verb: "patch", Resource: "secrets", Name: s.Target.Name, Err: err}
	}
	return &got.ObjectMeta, nil
}
