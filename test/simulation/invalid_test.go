// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// invalid returns why the API server refuses to store a Secret, nil if it does not. before is nil for a new one.
func invalid(before, after *corev1.Secret) error {
	at := field.NewPath("metadata")
	wrong := apivalidation.ValidateObjectMeta(&after.ObjectMeta, true, apivalidation.NameIsDNSSubdomain, at)
	for key := range after.Data {
		for _, why := range validation.IsConfigMapKey(key) {
			wrong = append(wrong, field.Invalid(field.NewPath("data").Key(key), key, why))
		}
	}
	if before != nil {
		wrong = append(wrong, apivalidation.ValidateObjectMetaUpdate(&after.ObjectMeta, &before.ObjectMeta, at)...)
		if before.Immutable != nil && *before.Immutable && !equality.Semantic.DeepEqual(before.Data, after.Data) {
			wrong = append(wrong, field.Forbidden(field.NewPath("data"), "field is immutable when `immutable` is set"))
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return apierrors.NewInvalid(secretKind.GroupKind(), after.Name, wrong)
}
