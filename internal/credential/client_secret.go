// SPDX-License-Identifier: Apache-2.0

package credential

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A ClientSecret is what is known of the client Secret.
type ClientSecret struct {
	Found   bool
	Version string
	// AllowedHosts, AllowedCA and AllowBasic are the annotations with which its owner consents to uses of it.
	AllowedHosts, AllowedCA, AllowBasic string
	// Managed says that the operator wrote the Secret as a target. PersistedState is the annotation that says what it wrote.
	Managed        bool
	PersistedState string
	// Content is nil unless this reconcile has read it.
	Content *corev1.Secret
}

// ClientSecretOf returns what the metadata of a client Secret says.
func ClientSecretOf(meta *metav1.ObjectMeta) ClientSecret {
	return ClientSecret{
		Found: true, Version: VersionOf(meta),
		AllowedHosts: meta.Annotations[v1alpha1.AllowedHostsAnnotation], AllowedCA: meta.Annotations[v1alpha1.AllowedCAAnnotation],
		AllowBasic: meta.Annotations[v1alpha1.AllowBasicAnnotation],
		Managed:    meta.Annotations[v1alpha1.CredentialAnnotation] != "", PersistedState: meta.Annotations[v1alpha1.StateAnnotation],
	}
}
