package controllers

import (
	"cmp"
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
)

// ending reports whether a namespace is being deleted, for an object that has lost what it had: then there is nothing to be done or told. A wait above
// zero means that this is not known yet.
func (r *reader) ending(ctx context.Context, obj *v1alpha1.CDPCredential) (ends bool, wait time.Duration) {
	if !obj.DeletionTimestamp.IsZero() { // what is kept by somebody's finalizer is served until it is gone
		return false, 0
	}
	ends, ask, wait := r.endings.Recall(obj.Namespace, r.Clock.Now())
	if !ask {
		return ends, wait
	}
	// Only the API server knows, and whoever may make Secrets may ask it so.
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: obj.Namespace, Name: obj.Spec.Target.Name}}
	err := r.Client.Create(ctx, secret, client.DryRunAll, client.FieldOwner(v1alpha1.ManagedBy))
	ends = apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause)
	r.endings.Learn(obj.Namespace, r.Clock.Now(), ends)
	return ends, 0
}

// An endingError ends a pass over an object whose namespace is being deleted, or perhaps is.
type endingError struct{ again time.Duration }

func (e *endingError) Error() string { return "the namespace may be being deleted" }

// notEnding gives an error if the object's namespace is being deleted, or if that is not known yet.
func (r *reader) notEnding(ctx context.Context, obj *v1alpha1.CDPCredential) error {
	if ends, wait := r.ending(ctx, obj); ends || wait > 0 {
		return &endingError{cmp.Or(wait, credential.EndingKnownFor)}
	}
	return nil
}
