package controllers

import (
	"context"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// patchStatus writes status if it has changed: one request, last, so that Ready and the payload appear together.
func (r *CDPCredentialReconciler) patchStatus(ctx context.Context, obj *v1alpha1.CDPCredential, saved v1alpha1.CDPCredentialStatus, mem *remembered, status v1alpha1.CDPCredentialStatus) error {
	if equality.Semantic.DeepEqual(saved, status) {
		mem.unsaved = nil
		return nil
	}
	mem.unsaved = status.DeepCopy()
	before, after := obj.DeepCopy(), obj.DeepCopy()
	before.Status, after.Status = saved, status
	diff, err := client.MergeFrom(before).Data(after)
	if err != nil {
		return fmt.Errorf("write the status patch: %w", err)
	}
	var patch map[string]any
	if err := json.Unmarshal(diff, &patch); err != nil {
		return fmt.Errorf("read the status patch: %w", err)
	}
	// Nobody else writes status, so it needs no lock; but it must not land on another object of the same name.
	patch["metadata"] = map[string]any{"uid": obj.UID}
	if diff, err = json.Marshal(patch); err != nil {
		return fmt.Errorf("write the status patch: %w", err)
	}
	err = r.Client.Status().Patch(ctx, after, client.RawPatch(types.MergePatchType, diff), client.FieldOwner(v1alpha1.ManagedBy))
	if apierrors.IsNotFound(err) {
		mem.unsaved = nil
		return nil // the object was deleted meanwhile
	} else if err != nil {
		return fmt.Errorf("patch status: %w", err)
	}
	mem.objectVersion, mem.unsaved = after.ResourceVersion, nil
	return nil
}
