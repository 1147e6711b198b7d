package controllers

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// lastApplied holds a copy of the whole object as kubectl applied it: for a Secret its data.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// TrimMetadata makes a cache transform for the metadata of Secrets: it keeps what passes read, as a cluster may have many more Secrets than are
// of interest here. Of a Secret that is not the target of anybody that is its version and its consent. Above all it drops kubectl's copy of
// what was applied, in which a Secret's data stands in clear.
func TrimMetadata() cache.TransformFunc {
	var consents, labels sharedValues[map[string]string]
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
		if accessor.GetAnnotations()[v1alpha1.CredentialAnnotation] != "" {
			trimTarget(accessor, &labels)
			return obj, nil
		}
		accessor.SetLabels(nil)
		accessor.SetOwnerReferences(nil)
		accessor.SetAnnotations(consents.one(only(accessor.GetAnnotations(), v1alpha1.AllowedHostsAnnotation)))
		return obj, nil
	}
}

// trimTarget keeps all that a user may have asked for.
func trimTarget(accessor metav1.Object, labels *sharedValues[map[string]string]) {
	annotations := accessor.GetAnnotations()
	if annotations[lastApplied] != "" {
		delete(annotations, lastApplied)
	}
	accessor.SetLabels(labels.one(accessor.GetLabels()))
	owners := accessor.GetOwnerReferences()
	for i := range owners {
		o := &owners[i]
		o.APIVersion, o.Kind, o.Name = shared(o.APIVersion), shared(o.Kind), like(o.Name, annotations[v1alpha1.CredentialAnnotation])
	}
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
		credential.Annotations = only(credential.Annotations, v1alpha1.RefreshRequestedAtAnnotation)
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

// only is a map with that key alone, if it is there at all.
func only(annotations map[string]string, key string) map[string]string {
	value, there := annotations[key]
	if !there {
		return nil
	}
	return map[string]string{shared(key): shared(value)}
}
