package controllers

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
)

// patchStatus writes status if it has changed: one request, last, so that Ready and the payload appear together. It reports whether the object is gone.
func (r *CDPCredentialReconciler) patchStatus(ctx context.Context, obj *v1alpha1.CDPCredential, saved v1alpha1.CDPCredentialStatus, mem *remembered, status v1alpha1.CDPCredentialStatus) (gone bool, err error) {
	version := unconfirmedVersion(obj, &saved, mem)
	patch, err := credential.StatusPatch(obj.UID, version, &saved, &status)
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
	} else if version != "" && apierrors.IsInvalid(err) {
		return r.outdated(ctx, obj, mem, err)
	} else if err != nil {
		return false, fmt.Errorf("patch status: %w", err)
	}
	mem.objectVersion, mem.unsaved = after.ResourceVersion, nil
	return false, nil
}

// errOutdated says that status was decided on with an object that has changed since.
var errOutdated = errors.New("the object has changed since it was read")

// unconfirmedVersion is the version of an object that this process knows only from the list that it began with, which may be minutes old. What another
// process has written since is not to be mixed with what is changed of that: a back-off would get the time of a renewal. Empty: this process has read
// or written the object, or there is nothing in its status that could be lost.
func unconfirmedVersion(obj *v1alpha1.CDPCredential, saved *v1alpha1.CDPCredentialStatus, mem *remembered) string {
	if mem.objectVersion != "" || saved.LastRefreshTime == nil && saved.LastAttempt == nil {
		return ""
	}
	return obj.ResourceVersion
}

// outdated finds out whether the object has changed since it was read: then it is decided on again once the cache shows that.
func (r *CDPCredentialReconciler) outdated(ctx context.Context, obj *v1alpha1.CDPCredential, mem *remembered, refused error) (gone bool, err error) {
	live, err := r.readObject(ctx, obj)
	switch {
	case err != nil:
		return false, err
	case live == nil:
		mem.unsaved = nil
		return true, nil
	case live.ResourceVersion == obj.ResourceVersion:
		return false, fmt.Errorf("patch status: %w", refused)
	}
	mem.objectVersion, mem.unsaved, mem.confirmed = live.ResourceVersion, nil, false
	return false, fmt.Errorf("patch status: %w", errOutdated)
}
