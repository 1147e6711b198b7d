// SPDX-License-Identifier: Apache-2.0

package credential

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// SecretReference returns a Secret for an event to refer to.
func SecretReference(namespace, name string) runtime.Object {
	secret := &corev1.Secret{}
	secret.Namespace, secret.Name = namespace, name
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	return secret
}

// SecretMetadata returns a Secret of which only the metadata is to be read or written.
func SecretMetadata(namespace, name string) *metav1.PartialObjectMetadata {
	meta := &metav1.PartialObjectMetadata{}
	meta.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	meta.Namespace, meta.Name = namespace, name
	return meta
}

// WorkloadReference returns a workload without content.
func WorkloadReference(namespace string, ref v1alpha1.RolloutRestart) *unstructured.Unstructured {
	obj := &unstructured.Unstructured{}
	obj.SetGroupVersionKind(schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: string(ref.Kind)})
	obj.SetNamespace(namespace)
	obj.SetName(ref.Name)
	return obj
}
