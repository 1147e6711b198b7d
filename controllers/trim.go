package controllers

import (
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// lastApplied holds a copy of the whole object as kubectl applied it: for a Secret its data.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// TrimMetadata is a cache transform for the metadata of Secrets. It keeps what passes read. Above all it drops kubectl's copy of what was
// applied, in which a Secret's data stands in clear.
func TrimMetadata(obj any) (any, error) {
	if accessor, err := meta.Accessor(obj); err == nil {
		accessor.SetManagedFields(nil)
		if annotations := accessor.GetAnnotations(); annotations[lastApplied] != "" {
			delete(annotations, lastApplied)
			accessor.SetAnnotations(annotations)
		}
	}
	return obj, nil
}

// TrimCredential is a cache transform for CDPCredentials: of their annotations only the request for a refresh is read.
func TrimCredential(obj any) (any, error) {
	if credential, ok := obj.(*v1alpha1.CDPCredential); ok {
		credential.ManagedFields = nil
		credential.Labels = nil
		request, there := credential.Annotations[v1alpha1.RefreshRequestedAtAnnotation]
		credential.Annotations = nil
		if there {
			credential.Annotations = map[string]string{v1alpha1.RefreshRequestedAtAnnotation: request}
		}
	}
	return obj, nil
}
