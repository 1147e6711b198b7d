package controllers

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// maxTargetLabels bounds what anybody can make the cache keep by labels. A target has 33 at most.
const maxTargetLabels = 64

// TrimMetadata returns a cache transform for the metadata of Secrets. Of a target it keeps the owner references, our own annotations and what
// spec.target may set (opened are the entries of --allowed-target-metadata), to see when somebody changes it; of any other Secret the version
// and our own annotations. Above all it drops kubectl's copy of what was applied, in which a Secret's data stands in clear.
func TrimMetadata(opened []string) cache.TransformFunc {
	var consents, labels sharedValues[map[string]string]
	isOurs := func(key string) bool { return strings.HasPrefix(key, v1alpha1.GroupVersion.Group+"/") }
	isTargets := func(key string) bool { return key == v1alpha1.ManagedByLabel || allowedTargetKey(key, opened) }
	return func(obj any) (any, error) {
		accessor, err := meta.Accessor(obj)
		if err != nil {
			return obj, nil //nolint:nilerr // it is no object but what the cache knows of a deleted one
		}
		accessor.SetNamespace(shared(accessor.GetNamespace()))
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
		shareOwners(accessor)
		return obj, nil
	}
}

// shareOwners keeps the texts once that the owner references of all targets have in common.
func shareOwners(accessor metav1.Object) {
	owners := accessor.GetOwnerReferences()
	for i := range owners {
		o := &owners[i]
		o.APIVersion, o.Kind, o.Name = shared(o.APIVersion), shared(o.Kind), like(o.Name, accessor.GetAnnotations()[v1alpha1.CredentialAnnotation])
	}
}

// filtered returns the members of m whose keys are wanted. Nil: none is.
func filtered(m map[string]string, wanted func(key string) bool) map[string]string {
	var kept map[string]string
	for key, value := range m {
		if !wanted(key) {
			continue
		}
		if kept == nil {
			kept = make(map[string]string, len(m))
		}
		kept[shared(key)] = value
	}
	return kept
}

// TrimCredentials makes a cache transform for CDPCredentials: of their annotations only the request for a refresh is read, and what many of them
// have in common is kept once.
func TrimCredentials() cache.TransformFunc {
	var providers sharedValues[v1alpha1.Provider]
	var tls sharedValues[*v1alpha1.TLS]
	return func(obj any) (any, error) {
		credential, ok := obj.(*v1alpha1.CDPCredential)
		if !ok {
			return obj, nil
		}
		credential.ManagedFields = nil
		credential.Labels = nil
		credential.Annotations = filtered(credential.Annotations, func(key string) bool { return key == v1alpha1.RefreshRequestedAtAnnotation })
		credential.Kind, credential.APIVersion = shared(credential.Kind), shared(credential.APIVersion)
		credential.Namespace = shared(credential.Namespace)
		credential.Spec.Provider, credential.Spec.TLS = providers.one(credential.Spec.Provider), tls.one(credential.Spec.TLS)
		status := &credential.Status
		status.Provider, status.TargetName = shared(status.Provider), like(status.TargetName, credential.Spec.Target.Name)
		status.Conditions = exact(status.Conditions)
		for i := range status.Conditions {
			c := &status.Conditions[i]
			c.Type, c.Status, c.Reason, c.Message = shared(c.Type), shared(c.Status), shared(c.Reason), shared(c.Message)
		}
		return credential, nil
	}
}
