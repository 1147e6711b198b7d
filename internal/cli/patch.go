// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// fieldManager is what managedFields say of our writes.
const fieldManager = client.FieldOwner("kubectl-cdpcred")

// patch changes parts of an object and fills in what came of it.
func (s *session) patch(ctx context.Context, obj client.Object, change map[string]any) error {
	content, err := json.Marshal(change)
	if err != nil {
		return err
	}
	if err := s.Patch(ctx, obj, client.RawPatch(types.MergePatchType, content), fieldManager); err != nil {
		return explained(err)
	}
	return nil
}

// secretMetadata reads a Secret without its values.
func (s *session) secretMetadata(ctx context.Context, name string) (*metav1.PartialObjectMetadata, error) {
	secret := &metav1.PartialObjectMetadata{}
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	if err := s.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: name}, secret); err != nil {
		return nil, fmt.Errorf("read the metadata of Secret %s: %w", name, err)
	}
	return secret, nil
}

// annotate sets annotations of a Secret that has not changed since it was read.
func (s *session) annotate(ctx context.Context, secret *metav1.PartialObjectMetadata, annotations map[string]string) error {
	return s.patch(ctx, secret, map[string]any{"metadata": map[string]any{"resourceVersion": secret.ResourceVersion, "annotations": annotations}})
}

// otherManager names somebody who sets a field of the object, too, and may set it back. Empty: nobody does.
func otherManager(obj *v1alpha1.CDPCredential, field string) string {
	for _, entry := range settersOf(obj, field) {
		if entry.Manager != string(fieldManager) {
			return plain(entry.Manager)
		}
	}
	return ""
}
