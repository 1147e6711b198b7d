// SPDX-License-Identifier: Apache-2.0

package credential

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
