// SPDX-License-Identifier: Apache-2.0

package credential

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TargetNames are the names of the target, and of the previous one.
func TargetNames(obj *v1alpha1.CDPCredential) []string {
	names := []string{obj.Spec.Target.Name}
	if old := obj.Status.TargetName; old != "" && old != obj.Spec.Target.Name {
		names = append(names, old)
	}
	return names
}

// keptByOthers reports whether an object that is being deleted stays for now, because of a finalizer of somebody else. The garbage collector's own are
// none: what they wait for is us.
func keptByOthers(obj *v1alpha1.CDPCredential) bool {
	for _, finalizer := range obj.Finalizers {
		if finalizer != metav1.FinalizerDeleteDependents && finalizer != metav1.FinalizerOrphanDependents {
			return true
		}
	}
	return false
}

// Leaving reports whether an object is as good as gone.
func Leaving(obj *v1alpha1.CDPCredential) bool {
	return !obj.DeletionTimestamp.IsZero() && !keptByOthers(obj)
}
