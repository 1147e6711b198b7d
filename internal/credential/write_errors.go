// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
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
