package controllers

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
)

// patchStatus writes status if it has changed: one request, last, so that Ready and the payload appear together. It reports whether the object is gone.
func (r *CDPCredentialReconciler) patchStatus(ctx context.Context, obj *v1alpha1.CDPCredential, saved v1alpha1.CDPCredentialStatus, mem *remembered, status v1alpha1.CDPCredentialStatus) (gone bool, err error) {
	patch, err := credential.StatusPatch(obj.UID, &saved, &status)
	if err != nil {
		return false, err
	}
	if patch == nil {
		mem.unsaved = nil
		return false, nil
	}
	mem.unsaved = status.DeepCopy()
	after := &v1alpha1.CDPCredential{}
	after.Namespace, after.Name = obj.Namespace, obj.Name
	err = r.Client.Status().Patch(ctx, after, client.RawPatch(types.JSONPatchType, patch), client.FieldOwner(v1alpha1.ManagedBy))
	if apierrors.IsNotFound(err) {
		mem.unsaved = nil
		return true, nil
	} else if err != nil {
		return false, fmt.Errorf("patch status: %w", err)
	}
	mem.objectVersion, mem.unsaved = after.ResourceVersion, nil
	return false, nil
}
