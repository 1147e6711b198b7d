// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TargetMetadata is what we put on a target Secret beside its data.
type TargetMetadata struct {
	Labels, Annotations map[string]string
	// Owner is the controller reference. It is nil if the Secret must outlive the object: by spec.target.deletionPolicy, or for the keys of others.
	Owner *metav1.OwnerReference
}

// desiredMetadata never copies the object's own labels and annotations: by those, a GitOps tool would consider the Secret its own and prune it. Shared
// says that the Secret holds keys of others.
func desiredMetadata(obj *v1alpha1.CDPCredential, expiresAt time.Time, shared bool) TargetMetadata {
	m := TargetMetadata{Labels: textMap(obj.Spec.Target.Labels), Annotations: textMap(obj.Spec.Target.Annotations)}
	if m.Labels == nil {
		m.Labels = map[string]string{}
	}
	if m.Annotations == nil {
		m.Annotations = map[string]string{}
	}
	m.Labels[v1alpha1.ManagedByLabel] = v1alpha1.ManagedBy
	m.Annotations[v1alpha1.CredentialAnnotation] = obj.Name
	if !expiresAt.IsZero() {
		m.Annotations[v1alpha1.ExpiresAtAnnotation] = expiryText(expiresAt)
	}
	if !Retains(&obj.Spec.Target) && !shared {
		// Without blockOwnerDeletion, which needs the right to set finalizers on the object.
		m.Owner = &metav1.OwnerReference{
			APIVersion: v1alpha1.GroupVersion.String(), Kind: "CDPCredential", Name: obj.Name, UID: obj.UID, Controller: new(true),
		}
	}
	return m
}

// expiryText has whole seconds, rounded down: never later than the truth.
func expiryText(t time.Time) string { return t.UTC().Truncate(time.Second).Format(time.RFC3339) }

// IsOn reports whether a Secret has this metadata, whatever else it has.
func (m *TargetMetadata) IsOn(secret *metav1.ObjectMeta) bool {
	return includes(secret.Labels, m.Labels) && includes(secret.Annotations, m.Annotations) && sameOwners(secret.OwnerReferences, m.OwnerReferences(secret.OwnerReferences))
}

func includes(have, want map[string]string) bool {
	for key, value := range want {
		if got, ok := have[key]; !ok || got != value {
			return false
		}
	}
	return true
}

// OwnerReferences returns have with our controller reference. References to other CDPCredentials are stale and dropped: a restore from a backup or a
// handed-over Secret leaves them behind, and the annotation decides who owns it.
func (m *TargetMetadata) OwnerReferences(have []metav1.OwnerReference) []metav1.OwnerReference {
	want := slices.DeleteFunc(slices.Clone(have), toCredential)
	if m.Owner != nil {
		want = append(want, *m.Owner)
	}
	return want
}

// toCredential reports whether a reference is to a CDPCredential as the controller.
func toCredential(ref metav1.OwnerReference) bool {
	return isController(ref) && ref.Kind == "CDPCredential" && strings.HasPrefix(ref.APIVersion, v1alpha1.GroupVersion.Group+"/")
}

func isController(ref metav1.OwnerReference) bool { return ref.Controller != nil && *ref.Controller }

func sameOwners(a, b []metav1.OwnerReference) bool {
	return slices.EqualFunc(a, b, func(a, b metav1.OwnerReference) bool {
		return a.UID == b.UID && a.Name == b.Name && a.Kind == b.Kind && a.APIVersion == b.APIVersion && isController(a) == isController(b)
	})
}
