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

// NewTarget returns the target Secret to create.
func NewTarget(obj *v1alpha1.CDPCredential, want TargetMetadata, data map[string][]byte) *corev1.Secret {
	secret := &corev1.Secret{Type: corev1.SecretTypeOpaque, Data: data}
	secret.Namespace, secret.Name = obj.Namespace, obj.Spec.Target.Name
	secret.Labels, secret.Annotations, secret.OwnerReferences = want.Labels, want.Annotations, want.OwnerReferences(nil)
	return secret
}

// Patch returns the merge patch that makes an existing target hold data and metadata, and removes what we wrote before.
func (t *TargetSecret) Patch(want TargetMetadata, data map[string][]byte) ([]byte, error) {
	written := t.Persisted
	if written == nil {
		written = &PersistedState{}
	}
	uid, resourceVersion := SplitVersion(t.Version)
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{
			"uid": uid, "resourceVersion": resourceVersion,
			"labels":          changes(want.Labels, written.Labels),
			"annotations":     changes(want.Annotations, append(written.Annotations, v1alpha1.ExpiresAtAnnotation)),
			"ownerReferences": want.OwnerReferences(t.Metadata.OwnerReferences),
		},
		"data": changes(data, written.Keys),
	})
	if err != nil {
		return nil, fmt.Errorf("write the patch of the target Secret: %w", err)
	}
	return patch, nil
}

// WithdrawalPatch returns the merge patch that removes our keys and metadata from a Secret.
func WithdrawalPatch(secret *metav1.ObjectMeta, written *PersistedState) ([]byte, error) {
	none := TargetMetadata{}
	ours := append(slices.Clone(written.Annotations), v1alpha1.CredentialAnnotation, v1alpha1.ExpiresAtAnnotation, v1alpha1.StateAnnotation)
	return json.Marshal(map[string]any{
		"metadata": map[string]any{
			"uid": secret.UID, "resourceVersion": secret.ResourceVersion, "ownerReferences": none.OwnerReferences(secret.OwnerReferences),
			"labels":      changes(map[string]string{}, written.Labels),
			"annotations": changes(map[string]string{}, ours),
		},
		"data": changes(map[string][]byte{}, written.Keys),
	})
}

// OwnerRemovalPatch returns the merge patch that removes our owner reference from a Secret. Nil: it has none.
func OwnerRemovalPatch(secret *metav1.ObjectMeta) ([]byte, error) {
	none := TargetMetadata{}
	others := none.OwnerReferences(secret.OwnerReferences)
	if len(others) == len(secret.OwnerReferences) {
		return nil, nil
	}
	return json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": secret.UID, "resourceVersion": secret.ResourceVersion, "ownerReferences": others,
	}})
}

// changes returns the part of a merge patch (RFC 7396) that makes a map hold want, and none of the other keys that we wrote before.
func changes[V any](want map[string]V, written []string) map[string]any {
	patch := make(map[string]any, len(want))
	for _, key := range written {
		patch[key] = nil
	}
	for key, value := range want {
		patch[key] = value
	}
	return patch
}
