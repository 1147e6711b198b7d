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

// TargetNames returns the name of the target, and of the previous one if it was renamed.
func TargetNames(obj *v1alpha1.CDPCredential) []string {
	names := []string{obj.Spec.Target.Name}
	if old := obj.Status.TargetName; old != "" && old != obj.Spec.Target.Name {
		names = append(names, old)
	}
	return names
}

// SecretNames returns the names of the Secrets that a CDPCredential refers to, for an index.
func SecretNames(obj metav1.Object) []string {
	credential := obj.(*v1alpha1.CDPCredential)
	return append([]string{credential.Spec.ClientSecretRef.Name}, TargetNames(credential)...)
}

// ControllerUID returns the UID of the CDPCredential that controls an object, for an index. Empty: none does.
func ControllerUID(obj metav1.Object) []string {
	if ref := metav1.GetControllerOf(obj); ref != nil && ref.Kind == "CDPCredential" {
		return []string{string(ref.UID)}
	}
	return nil
}

// Leaving reports whether an object is as good as gone: it is being deleted, and no finalizer of somebody else keeps it.
func Leaving(obj *v1alpha1.CDPCredential) bool {
	return !obj.DeletionTimestamp.IsZero() && !keptByOthers(obj)
}

// keptByOthers ignores the garbage collector's finalizers: those wait for our targets.
func keptByOthers(obj *v1alpha1.CDPCredential) bool {
	for _, finalizer := range obj.Finalizers {
		if finalizer != metav1.FinalizerDeleteDependents && finalizer != metav1.FinalizerOrphanDependents {
			return true
		}
	}
	return false
}

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
