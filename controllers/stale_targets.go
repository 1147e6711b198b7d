// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/slimcache"
)

// staleTargets deletes the targets of earlier names, or takes what is ours out of those that stay.
type staleTargets struct{ *reader }

// deleteStaleTargets removes the targets of earlier names, once the token is in the new one and status says so. What the API server refuses is told once and
// tried again, and keeps nothing else from happening. It says when to come back; zero: nothing is left.
func (r *staleTargets) deleteStaleTargets(ctx context.Context, s *credential.State, cache *credential.ObjectCache, result credential.Result) time.Time {
	if !result.Wrote && (s.IsMoving() || !s.Target.HasToken() || s.Object.Spec.Suspend) {
		return time.Time{}
	}
	c := &cache.Stale.Cleanup
	if s.Now.Before(c.At) && c.At.Sub(s.Now) <= credential.CleanupMaxBackoff { // else the clock was set back
		return c.At
	}
	name, err := r.deleteAll(ctx, s, cache)
	if err == nil {
		*c = credential.Cleanup{}
		return time.Time{}
	}
	c.At = s.Now.Add(credential.Doubled(credential.CleanupBackoff, credential.CleanupMaxBackoff, c.Failures))
	c.Failures++
	if ctx.Err() != nil {
		return c.At
	}
	ctrl.LoggerFrom(ctx).Error(err, "Failed to remove a stale target Secret", "secret", name)
	if credential.RefusedByPolicy(err) && !c.Reported {
		c.Reported = true
		r.Recorder.Eventf(s.Object, credential.SecretReference(s.Object.Namespace, name), corev1.EventTypeWarning, v1alpha1.EventStaleTarget, "Cleanup", "%s", credential.StaleTargetMessage(s.Object, name, err))
	}
	return c.At
}

// deleteAll deletes what earlier names of the target have left behind, once the token is in the right one. With Retain it only gives up
// their ownership, so that they outlive the object. Nothing is touched that does not say that it is ours. With an error it names the Secret.
func (r *staleTargets) deleteAll(ctx context.Context, s *credential.State, cache *credential.ObjectCache) (string, error) {
	obj := s.Object
	owned := &metav1.PartialObjectMetadataList{}
	owned.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("SecretList"))
	if err := r.Client.List(ctx, owned, client.InNamespace(obj.Namespace), client.MatchingFields{ownedByField: slimcache.Bucket(string(obj.UID))}, client.UnsafeDisableDeepCopy); err != nil {
		return "", fmt.Errorf("list owned Secrets: %w", err)
	}
	names := map[string]bool{}
	for i := range owned.Items {
		if slices.Contains(credential.ControllerUID(&owned.Items[i]), string(obj.UID)) {
			names[owned.Items[i].Name] = true
		}
	}
	if old := cache.Stale.Cleanup.Before; old != "" {
		names[old] = true
	}
	delete(names, obj.Spec.Target.Name)
	for _, name := range credential.SortedKeys(names) {
		if err := r.deleteOne(ctx, s, cache, name); err != nil {
			return name, err
		}
	}
	return "", nil
}

// deleteOne removes one stale target, if it still says that it is ours.
func (r *staleTargets) deleteOne(ctx context.Context, s *credential.State, cache *credential.ObjectCache, name string) error {
	obj := s.Object
	meta := credential.SecretMetadata(obj.Namespace, name)
	if err := r.Client.Get(ctx, client.ObjectKeyFromObject(meta), meta); apierrors.IsNotFound(err) {
		return nil
	} else if err != nil {
		return fmt.Errorf("read Secret %s: %w", name, err)
	}
	if meta.Annotations[v1alpha1.CredentialAnnotation] != obj.Name || meta.Annotations[v1alpha1.StateAnnotation] == "" {
		return nil
	}
	if credential.Retains(&obj.Spec.Target) {
		return r.removeOwnerReference(ctx, meta)
	}
	rec := credential.ParseAnyPersistedState(meta.Annotations[v1alpha1.StateAnnotation])
	if rec == nil {
		rec = s.Target.Persisted // somebody has edited it: what we wrote there had the names that it has now
	} else if rec.Object != obj.Name {
		return nil // handed over from another object, which wrote what is in it
	}
	if shared, err := r.isShared(ctx, obj, cache, meta, rec.Keys); err != nil {
		return err
	} else if shared {
		return r.stripStale(ctx, obj, meta, rec)
	}
	if err := r.delete(ctx, meta); apierrors.IsConflict(err) {
		return nil // the cache will show what has changed, and that is looked at then
	} else if err != nil {
		return err
	}
	cache.Target.ForgetTarget(name) // while the cache still has it, only the API server knows whether there is one of that name
	return nil
}

// delete removes a Secret in which everything is ours, if it is still that one.
func (r *staleTargets) delete(ctx context.Context, secret *metav1.PartialObjectMetadata) error {
	err := r.Client.Delete(ctx, secret, client.Preconditions{UID: &secret.UID, ResourceVersion: &secret.ResourceVersion})
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete Secret %s: %w", secret.Name, err)
	}
	return nil
}

// stripStale takes what is ours out of a stale target. Without our annotation the Secret would not be ours again, so the API server is asked
// whether it is the target again, which the cache may not show yet.
func (r *staleTargets) stripStale(ctx context.Context, obj *v1alpha1.CDPCredential, secret *metav1.PartialObjectMetadata, rec *credential.PersistedState) error {
	live, err := r.readObject(ctx, obj)
	if live == nil || err != nil || live.Spec.Target.Name == secret.Name {
		return err
	}
	if err := r.strip(ctx, secret, rec); !apierrors.IsConflict(err) {
		return err
	}
	return nil
}

// removeOwnerReference takes our owner reference off a Secret that is to outlive the object.
func (r *staleTargets) removeOwnerReference(ctx context.Context, secret *metav1.PartialObjectMetadata) error {
	patch, err := credential.OwnerRemovalPatch(&secret.ObjectMeta)
	if patch == nil || err != nil {
		return err
	}
	err = r.Client.Patch(ctx, secret.DeepCopy(), client.RawPatch(types.MergePatchType, patch), client.FieldOwner(v1alpha1.ManagedBy))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("disown Secret %s: %w", secret.Name, err)
	}
	return nil
}

// isShared reports whether a stale target holds keys that are none of ours. It is looked into unless this process knows what is in it.
func (r *staleTargets) isShared(ctx context.Context, obj *v1alpha1.CDPCredential, cache *credential.ObjectCache, secret *metav1.PartialObjectMetadata, ours []string) (bool, error) {
	if seen, known := cache.Target.Find(secret.Name); known && seen.Version == credential.VersionOf(&secret.ObjectMeta) {
		return credential.Without(seen.ForeignKeys, ours) != "", nil
	}
	t, err := r.readTarget(ctx, obj, secret.Name)
	return t.SharedBeside(ours), err
}

// withdraw takes what we wrote out of the shared target of an object that is gone. A Secret that turns out to hold nothing else goes with the object. One
// that only left the cache, because its labels have given it to another shard, needs it still.
func (r *staleTargets) withdraw(ctx context.Context, object types.NamespacedName, cache *credential.ObjectCache) error {
	if cache == nil || cache.Stale.SharedTarget == "" {
		return nil
	}
	secret := credential.SecretMetadata(object.Namespace, cache.Stale.SharedTarget)
	if err := r.Client.Get(ctx, client.ObjectKeyFromObject(secret), secret); err != nil {
		return client.IgnoreNotFound(err)
	}
	if secret.Annotations[v1alpha1.CredentialAnnotation] != object.Name {
		return nil // it was handed on
	}
	obj := &v1alpha1.CDPCredential{ObjectMeta: metav1.ObjectMeta{Namespace: object.Namespace, Name: object.Name}}
	if err := r.Live.Get(ctx, object, obj.DeepCopy()); !apierrors.IsNotFound(err) {
		return err // without an error it is there
	}
	rec := credential.ParsePersistedState(secret.Annotations[v1alpha1.StateAnnotation], object.Name)
	if rec == nil {
		return nil
	}
	shared, err := r.isShared(ctx, obj, cache, secret, rec.Keys)
	if shared {
		err = r.strip(ctx, secret, rec)
	} else if err == nil {
		err = r.delete(ctx, secret)
	}
	if credential.RefusedByPolicy(err) {
		ctrl.LoggerFrom(ctx).Error(err, "Failed to take the token out of a Secret that stays: delete its keys by hand", "secret", secret.Name)
		return nil
	}
	return err
}

// strip takes our keys and metadata out of a Secret, as far as a record names them.
func (r *staleTargets) strip(ctx context.Context, secret *metav1.PartialObjectMetadata, rec *credential.PersistedState) error {
	patch, err := credential.WithdrawalPatch(&secret.ObjectMeta, rec)
	if err != nil {
		return err
	}
	err = r.Client.Patch(ctx, secret.DeepCopy(), client.RawPatch(types.MergePatchType, patch), client.FieldOwner(v1alpha1.ManagedBy))
	if err == nil || apierrors.IsNotFound(err) {
		return nil
	}
	return &credential.RequestError{Verb: "patch", Resource: "secrets", Name: secret.Name, Err: err}
}
