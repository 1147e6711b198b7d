package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// removeLeftovers deletes what earlier names of the target have left behind, once the token is in the right one. With Retain it only gives up
// their ownership, so that they outlive the object. Nothing is touched that does not say that it is ours.
func (r *CDPCredentialReconciler) removeLeftovers(ctx context.Context, obj *v1alpha1.CDPCredential, mem *remembered) error {
	owned := &metav1.PartialObjectMetadataList{}
	owned.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("SecretList"))
	if err := r.Client.List(ctx, owned, client.InNamespace(obj.Namespace), client.MatchingFields{ownedByField: bucket(string(obj.UID))}, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list owned Secrets: %w", err)
	}
	names := map[string]bool{}
	for i := range owned.Items {
		if slices.Contains(controllerUID(&owned.Items[i]), string(obj.UID)) {
			names[owned.Items[i].Name] = true
		}
	}
	if old := obj.Status.TargetName; old != "" {
		names[old] = true
	}
	delete(names, obj.Spec.Target.Name)
	for _, name := range sortedKeys(names) {
		meta := secretMetadata(obj.Namespace, name)
		if err := r.Client.Get(ctx, client.ObjectKeyFromObject(meta), meta); apierrors.IsNotFound(err) {
			continue
		} else if err != nil {
			return fmt.Errorf("read Secret %s: %w", name, err)
		}
		if meta.Annotations[v1alpha1.CredentialAnnotation] != obj.Name || meta.Annotations[v1alpha1.StateAnnotation] == "" {
			continue
		}
		if retains(&obj.Spec.Target) {
			if err := r.disown(ctx, meta); err != nil {
				return err
			}
			continue
		}
		err := r.Client.Delete(ctx, meta, client.Preconditions{UID: &meta.UID, ResourceVersion: &meta.ResourceVersion})
		if apierrors.IsConflict(err) {
			continue // the cache will show what has changed, and that is looked at then; status is not to wait for it
		}
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("delete Secret %s: %w", name, err)
		}
		mem.forgetTarget(name) // while the cache still has it, only the API server knows whether there is one of that name
	}
	return nil
}

// disown takes our owner reference off a Secret that is to outlive the object.
func (r *CDPCredentialReconciler) disown(ctx context.Context, secret *metav1.PartialObjectMetadata) error {
	none := metadata{}
	rest := none.owners(secret.OwnerReferences)
	if len(rest) == len(secret.OwnerReferences) {
		return nil
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": secret.UID, "resourceVersion": secret.ResourceVersion, "ownerReferences": rest,
	}})
	if err != nil {
		return fmt.Errorf("write the patch of Secret %s: %w", secret.Name, err)
	}
	err = r.Client.Patch(ctx, secret.DeepCopy(), client.RawPatch(types.MergePatchType, patch), client.FieldOwner(v1alpha1.ManagedBy))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("disown Secret %s: %w", secret.Name, err)
	}
	return nil
}

// tidy removes the targets of earlier names, once the token is in the new one.
func (r *CDPCredentialReconciler) tidy(ctx context.Context, v *view, mem *remembered, out outcome) error {
	if !out.wrote && (v.moving() || !v.target.has() || v.obj.Spec.Suspend) {
		return nil
	}
	return r.removeLeftovers(ctx, v.obj, mem)
}
