package controllers

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
)

// isShared reports whether a target of before holds keys that are none of ours. It is looked into unless this process knows what is in it.
func (r *CDPCredentialReconciler) isShared(ctx context.Context, obj *v1alpha1.CDPCredential, mem *remembered, secret *metav1.PartialObjectMetadata, ours []string) (bool, error) {
	if seen, known := mem.seen(secret.Name); known && seen.Version == credential.VersionOf(&secret.ObjectMeta) {
		return credential.Without(seen.ForeignKeys, ours) != "", nil
	}
	t, err := r.readTarget(ctx, obj, secret.Name)
	return t.SharedBeside(ours), err
}

// withdraw takes what we wrote out of the shared target of an object that is gone. One that only left the cache, because its labels have given it to
// another shard, needs it still.
func (r *CDPCredentialReconciler) withdraw(ctx context.Context, object types.NamespacedName) error {
	mem := r.memory.known(object)
	if mem == nil || mem.sharedTarget == "" {
		return nil
	}
	secret := secretMetadata(object.Namespace, mem.sharedTarget)
	if err := r.Client.Get(ctx, client.ObjectKeyFromObject(secret), secret); err != nil {
		return client.IgnoreNotFound(err)
	}
	if secret.Annotations[v1alpha1.CredentialAnnotation] != object.Name {
		return nil // it was handed on
	}
	if there, err := r.isThere(ctx, object); there || err != nil {
		return err
	}
	rec := credential.ParsePersistedState(secret.Annotations[v1alpha1.StateAnnotation], object.Name)
	if rec == nil {
		return nil
	}
	err := r.strip(ctx, secret, rec)
	if refusedByPolicy(err) {
		ctrl.LoggerFrom(ctx).Error(err, "Failed to take the token out of a Secret that stays: delete its keys by hand", "secret", secret.Name)
		return nil
	}
	return err
}

// isThere asks the API server for an object of that name.
func (r *CDPCredentialReconciler) isThere(ctx context.Context, object types.NamespacedName) (bool, error) {
	obj := &v1alpha1.CDPCredential{ObjectMeta: metav1.ObjectMeta{Namespace: object.Namespace, Name: object.Name}}
	if err := r.Live.Get(ctx, object, obj); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	return true, nil
}

// strip takes our keys and metadata out of a Secret, as far as a record names them.
func (r *CDPCredentialReconciler) strip(ctx context.Context, secret *metav1.PartialObjectMetadata, rec *credential.PersistedState) error {
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
