// SPDX-License-Identifier: Apache-2.0

package credential

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// SecretNames returns the names of the Secrets that a CDPCredential refers to, for an index.
func SecretNames(obj metav1.Object) []string {
	spec := &obj.(*v1alpha1.CDPCredential).Spec
	names := []string{spec.ClientSecretRef.Name, spec.Target.Name}
	if old := obj.(*v1alpha1.CDPCredential).Status.TargetName; old != "" && old != spec.Target.Name {
		names = append(names, old)
	}
	return names
}

// ControllerUID returns the UID of the CDPCredential that controls an object, for an index. Empty: none does.
func ControllerUID(obj metav1.Object) []string {
	if ref := metav1.GetControllerOf(obj); ref != nil && ref.Kind == "CDPCredential" {
		return []string{string(ref.UID)}
	}
	return nil
}
