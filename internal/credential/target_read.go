// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"regexp"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TargetSecretOf returns what a target Secret holds that was read, compared with the persisted state that it carries.
func TargetSecretOf(secret *corev1.Secret, written *PersistedState) TargetSecret {
	t := TargetSecret{
		Name: secret.Name, Found: true, Version: VersionOf(&secret.ObjectMeta), Metadata: secret.ObjectMeta, Persisted: written, Secret: secret,
		Content: contentOf(secret, written), ForeignKeys: foreignKeys(secret.Data, written), Unusable: unusable(secret),
	}
	if t.Unusable == "" {
		t.Unusable = Controlled(&secret.ObjectMeta)
	}
	return t
}

func contentOf(secret *corev1.Secret, written *PersistedState) Content {
	if written == nil {
		return ContentReplaced
	}
	token := written.TokenIn(secret.Data)
	switch {
	case token == nil || written.TokenMACOf(token) != written.TokenMAC:
		return ContentReplaced
	case written.DataMACOf(secret.Data, written.Keys) != written.DataMAC:
		return ContentEdited
	}
	return ContentIntact
}

// unusable says why a Secret that was handed over cannot be written. Empty: it can.
func unusable(secret *corev1.Secret) string {
	switch {
	case secret.Immutable != nil && *secret.Immutable:
		return "is immutable"
	case secret.Type != corev1.SecretTypeOpaque && secret.Type != "":
		return "is not of type Opaque"
	}
	return ""
}

const beingDeleted = "is being deleted"

// Controlled says why a Secret would not keep what we write: it is being deleted, or another object controls it. Empty: it would.
func Controlled(meta *metav1.ObjectMeta) string {
	if meta.DeletionTimestamp != nil {
		return beingDeleted
	}
	for _, ref := range meta.OwnerReferences {
		if isController(ref) && !toCredential(ref) {
			return "is controlled by " + controllerName(ref)
		}
	}
	return ""
}

// controllerName names another object only if its reference looks like one: whoever may write Secrets may put any text there, and this is for status.
func controllerName(ref metav1.OwnerReference) string {
	if !isName(ref.Name) || !isKind.MatchString(ref.Kind) {
		return "another object"
	}
	return ref.Kind + " " + ref.Name
}

var isKind = regexp.MustCompile(`^[A-Z][A-Za-z0-9]{0,62}$`)
