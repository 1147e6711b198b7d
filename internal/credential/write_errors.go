// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

var (
	// ErrNamespaceTerminating says that nothing can be created in the namespace any more.
	ErrNamespaceTerminating = errors.New("the namespace is being deleted")
	// ErrSuperseded says that the token to be written is no longer the best there is. The next reconcile decides again.
	ErrSuperseded = errors.New("the token was superseded before it could be written")
	// ErrConflict says that somebody else wrote the target at the same moment, or that the cache is behind. It has to be observed again.
	ErrConflict = errors.New("the target Secret has changed since it was read")
	// ErrOutdated says that the object has changed since the status was decided on.
	ErrOutdated = errors.New("the object has changed since it was read")
)

// RefusedByPolicy reports whether the API server will never do what it was asked, rather than not now.
func RefusedByPolicy(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || apierrors.IsMethodNotSupported(err)
}

// StaleTargetMessage is the message for a stale target that the API server does not let the operator clean up.
func StaleTargetMessage(obj *v1alpha1.CDPCredential, name string, err error) string {
	verb, fix := "delete", "delete it by hand"
	if Retains(&obj.Spec.Target) {
		verb, fix = "remove the owner reference from", "remove it by hand, or the Secret is deleted with this object"
	}
	return fmt.Sprintf("The API server does not let the operator %s Secret %s, the previous target (%s): %s, or ask whoever runs the cluster for its admission "+
		"policies and the operator's rights", verb, name, apierrors.ReasonForError(err), fix)
}
