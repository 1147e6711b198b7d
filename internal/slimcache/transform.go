// SPDX-License-Identifier: Apache-2.0

package slimcache

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// maxTargetLabels bounds the memory that anyone can use up with labels. A target has at most 33.
const maxTargetLabels = 64

// SecretMetadata returns a cache transform for the metadata of Secrets. For targets it keeps the owner references, our own annotations, and the labels
// and annotations that spec.target may set (those with an allowed key), to detect changes. For other Secrets it keeps only the resourceVersion and
// our own annotations. In particular it drops kubectl's last-applied-configuration, which contains the Secret's data.
func SecretMetadata(allowed func(key string) bool) cache.TransformFunc {
	var consents, labels values[map[string]string]
	isOurs := func(key string) bool { return strings.HasPrefix(key, v1alpha1.GroupVersion.Group+"/") }
	isTargets := func(key string) bool { return key == v1alpha1.ManagedByLabel || allowed(key) }
	return func(obj any) (any, error) {
		accessor, err := meta.Accessor(obj)
		if err != nil {
			return obj, nil //nolint:nilerr // it is not an object but the tombstone of a deleted one
		}
		accessor.SetNamespace(Intern(accessor.GetNamespace()))
		accessor.SetManagedFields(nil)
		accessor.SetFinalizers(nil)
		accessor.SetGenerateName("")
		accessor.SetCreationTimestamp(metav1.Time{})
		if accessor.GetAnnotations()[v1alpha1.CredentialAnnotation] == "" {
			accessor.SetLabels(nil)
			accessor.SetOwnerReferences(nil)
			accessor.SetAnnotations(consents.one(filtered(accessor.GetAnnotations(), isOurs)))
			return obj, nil
		}
		kept := filtered(accessor.GetLabels(), isTargets)
		if len(kept) > maxTargetLabels {
			kept = nil
		}
		accessor.SetLabels(labels.one(kept))
		accessor.SetAnnotations(filtered(accessor.GetAnnotations(), func(key string) bool { return isOurs(key) || isTargets(key) }))
		internOwners(accessor)
		return obj, nil
	}
}

// internOwners interns the strings that the owner references of all targets share.
func internOwners(accessor metav1.Object) {
	owners := accessor.GetOwnerReferences()
	for i := range owners {
		o := &owners[i]
		o.APIVersion, o.Kind, o.Name = Intern(o.APIVersion), Intern(o.Kind), like(o.Name, accessor.GetAnnotations()[v1alpha1.CredentialAnnotation])
	}
}

// filtered returns the members of m whose keys are wanted. Nil: none.
func filtered(m map[string]string, wanted func(key string) bool) map[string]string {
	var kept map[string]string
	for key, value := range m {
		if !wanted(key) {
			continue
		}
		if kept == nil {
			kept = make(map[string]string, len(m))
		}
		kept[Intern(key)] = value
	}
	return kept
}

// Credentials returns a cache transform for CDPCredentials: it keeps only the annotation that requests a refresh, and interns what many objects
// share.
func Credentials() cache.TransformFunc {
	var providers values[v1alpha1.Provider]
	var tls values[*v1alpha1.TLS]
	return func(obj any) (any, error) {
		credential, ok := obj.(*v1alpha1.CDPCredential)
		if !ok {
			return obj, nil
		}
		credential.ManagedFields = nil
		credential.Labels = nil
		credential.Annotations = filtered(credential.Annotations, func(key string) bool { return key == v1alpha1.RefreshRequestedAtAnnotation })
		credential.Kind, credential.APIVersion = Intern(credential.Kind), Intern(credential.APIVersion)
		credential.Namespace = Intern(credential.Namespace)
		credential.Spec.Provider, credential.Spec.TLS = providers.one(credential.Spec.Provider), tls.one(credential.Spec.TLS)
		status := &credential.Status
		status.Provider, status.TargetName = Intern(status.Provider), like(status.TargetName, credential.Spec.Target.Name)
		status.Conditions = exact(status.Conditions)
		for i := range status.Conditions {
			c := &status.Conditions[i]
			c.Type, c.Status, c.Reason, c.Message = Intern(c.Type), Intern(c.Status), Intern(c.Reason), Intern(c.Message)
		}
		return credential, nil
	}
}
