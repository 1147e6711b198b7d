// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
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

// staleTargets deletes targets of earlier names, or removes our data from those that stay.
type staleTargets struct{ *reader }

// deleteStaleTargets removes targets of earlier names once the token is in the new one and status says so. A refusal of the API server is reported
// once and retried; it blocks nothing else. It returns when to come back; zero means that nothing is left.
func (r *staleTargets) deleteStaleTargets(ctx context.Context, s *credential.State, cache *credential.ObjectCache, result credential.Result) time.Time {
	if !result.Wrote && (s.IsMoving() || !s.Target.HasToken() || s.Object.Spec.Suspend) {
		return time.Time{}
	}
	c := &cache.Stale.Cleanup
	if s.Now.Before(c.At) && c.At.Sub(s.Now) <= credential.CleanupMaxBackoff { // otherwise the clock was set back
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

// deleteAll deletes the Secrets of earlier target names. With Retain it only removes the owner references, so that they outlive the object. It
// touches only Secrets that are ours by their annotation. With an error it returns the Secret's name.
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

// deleteOne removes one stale target if it is still ours by its annotation.
func (r *staleTargets) deleteOne(ctx context.Context, s *credential.State, cache *credential.ObjectCache, name string) error {
	obj := s.Object
	meta := credential.SecretMetadata(obj.Namespace, name)
	if err := r.Client.Get(ctx, client.ObjectKeyFromObject(meta), meta); err != nil {
		return client.IgnoreNotFound(err)
	}
	if meta.Annotations[v1alpha1.CredentialAnnotation] != obj.Name || meta.Annotations[v1alpha1.StateAnnotation] == "" {
		return nil
	}
	if credential.Retains(&obj.Spec.Target) {
		return r.removeOwnerReference(ctx, meta)
	}
	rec := credential.ParseAnyPersistedState(meta.Annotations[v1alpha1.StateAnnotation])
	if rec != nil && rec.Object != obj.Name {
		return nil // handed over from another object, which wrote its data
	}
	rec = cmp.Or(rec, s.Target.Persisted) // if its state was edited, assume the keys of the current target
	if shared, err := r.isShared(ctx, obj, cache, meta, rec.Keys); err != nil {
		return err
	} else if shared {
		return r.stripStale(ctx, obj, meta, rec)
	}
	if err := r.delete(ctx, meta); apierrors.IsConflict(err) {
		return nil // it changed: the cache will show how, and trigger a reconcile
	} else if err != nil {
		return err
	}
	cache.Target.ForgetTarget(name) // until the cache shows the deletion, only the API server knows whether it exists
	return nil
}

// delete removes a Secret that holds only our data, if it is unchanged.
func (r *staleTargets) delete(ctx context.Context, secret *metav1.PartialObjectMetadata) error {
	err := r.Client.Delete(ctx, secret, client.Preconditions{UID: &secret.UID, ResourceVersion: &secret.ResourceVersion})
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete Secret %s: %w", secret.Name, err)
	}
	return nil
}

// stripStale removes our data from a stale target. That cannot be undone, so it first asks the API server whether the Secret has become the target
// again, which the cache may not show yet.
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

// removeOwnerReference removes our owner reference from a Secret that must outlive the object.
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

// isShared reports whether a stale target holds keys that are not ours. It reads the Secret unless this process knows its content.
func (r *staleTargets) isShared(ctx context.Context, obj *v1alpha1.CDPCredential, cache *credential.ObjectCache, secret *metav1.PartialObjectMetadata, ours []string) (bool, error) {
	if seen, known := cache.Target.Find(secret.Name); known && seen.Version == credential.VersionOf(&secret.ObjectMeta) {
		return credential.Without(seen.ForeignKeys, ours) != "", nil
	}
	t, err := r.readTarget(ctx, obj, secret.Name)
	return t.SharedBeside(ours), err
}

// withdraw removes our data from the shared target of a deleted object, or deletes the target if it holds nothing else. An object that only left this
// shard's cache keeps its target.
func (r *staleTargets) withdraw(ctx context.Context, object types.NamespacedName, cache *credential.ObjectCache) error {
	if cache == nil || cache.Stale.SharedTarget == "" {
		return nil
	}
	secret := credential.SecretMetadata(object.Namespace, cache.Stale.SharedTarget)
	if err := r.Client.Get(ctx, client.ObjectKeyFromObject(secret), secret); err != nil {
		return client.IgnoreNotFound(err)
	}
	if secret.Annotations[v1alpha1.CredentialAnnotation] != object.Name {
		return nil // it was handed over to another object
	}
	obj := &v1alpha1.CDPCredential{ObjectMeta: metav1.ObjectMeta{Namespace: object.Namespace, Name: object.Name}}
	if err := r.Live.Get(ctx, object, obj.DeepCopy()); !apierrors.IsNotFound(err) {
		return err // no error: the object still exists, in another shard
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

// strip removes from a Secret the keys and metadata that its persisted state lists.
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
