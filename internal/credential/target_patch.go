// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// NewTarget is the target Secret as it is made.
func NewTarget(obj *v1alpha1.CDPCredential, want TargetMetadata, data map[string][]byte) *corev1.Secret {
	secret := &corev1.Secret{Type: corev1.SecretTypeOpaque, Data: data}
	secret.Namespace, secret.Name = obj.Namespace, obj.Spec.Target.Name
	secret.Labels, secret.Annotations, secret.OwnerReferences = want.Labels, want.Annotations, want.OwnerReferences(nil)
	return secret
}

// Patch is the merge patch that makes the target hold data and metadata.
func (t *TargetSecret) Patch(want TargetMetadata, data map[string][]byte) ([]byte, error) {
	rec := t.Persisted
	if rec == nil {
		rec = &PersistedState{}
	}
	uid, resourceVersion := SplitVersion(t.Version)
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{
			"uid": uid, "resourceVersion": resourceVersion,
			"labels":          changes(want.Labels, rec.Labels),
			"annotations":     changes(want.Annotations, append(rec.Annotations, v1alpha1.ExpiresAtAnnotation)),
			"ownerReferences": want.OwnerReferences(t.Metadata.OwnerReferences),
		},
		"data": changes(data, rec.Keys),
	})
	if err != nil {
		return nil, fmt.Errorf("write the patch of the target Secret: %w", err)
	}
	return patch, nil
}

// WithdrawalPatch is the merge patch that takes our keys and metadata out of a Secret, as far as a record names them.
func WithdrawalPatch(secret *metav1.ObjectMeta, rec *PersistedState) ([]byte, error) {
	none := TargetMetadata{}
	ours := append(slices.Clone(rec.Annotations), v1alpha1.CredentialAnnotation, v1alpha1.ExpiresAtAnnotation, v1alpha1.StateAnnotation)
	return json.Marshal(map[string]any{
		"metadata": map[string]any{
			"uid": secret.UID, "resourceVersion": secret.ResourceVersion, "ownerReferences": none.OwnerReferences(secret.OwnerReferences),
			"labels":      changes(map[string]string{}, rec.Labels),
			"annotations": changes(map[string]string{}, ours),
		},
		"data": changes(map[string][]byte{}, rec.Keys),
	})
}

// OwnerRemovalPatch is the merge patch that takes our owner reference off a Secret. Nil: it has none.
func OwnerRemovalPatch(secret *metav1.ObjectMeta) ([]byte, error) {
	none := TargetMetadata{}
	rest := none.OwnerReferences(secret.OwnerReferences)
	if len(rest) == len(secret.OwnerReferences) {
		return nil, nil
	}
	return json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": secret.UID, "resourceVersion": secret.ResourceVersion, "ownerReferences": rest,
	}})
}

// changes is the part of a merge patch (RFC 7396) that makes a map hold want and none of the keys that we had put there before.
func changes[V any](want map[string]V, had []string) map[string]any {
	patch := make(map[string]any, len(want))
	for _, key := range had {
		patch[key] = nil
	}
	for key, value := range want {
		patch[key] = value
	}
	return patch
}
