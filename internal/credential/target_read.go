// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"regexp"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TargetSecretOf is a target Secret that was read, beside the record that it carries.
func TargetSecretOf(secret *corev1.Secret, rec *PersistedState) TargetSecret {
	t := TargetSecret{Name: secret.Name, Found: true, Version: VersionOf(&secret.ObjectMeta), Metadata: secret.ObjectMeta, Persisted: rec, Secret: secret}
	switch {
	case t.Persisted == nil || t.Persisted.TokenIn(secret.Data) == nil || t.Persisted.TokenMACOf(t.Persisted.TokenIn(secret.Data)) != t.Persisted.TokenMAC:
		t.Content = ContentReplaced
	case t.Persisted.DataMACOf(secret.Data, t.Persisted.Keys) != t.Persisted.DataMAC:
		t.Content = ContentEdited
	}
	t.ForeignKeys = foreignKeys(secret.Data, t.Persisted)
	if t.Unusable = unusable(secret); t.Unusable == "" {
		t.Unusable = Controlled(&secret.ObjectMeta)
	}
	return t
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

// Controlled reports whether another object controls a Secret: it would undo what we write.
func Controlled(meta *metav1.ObjectMeta) string {
	if meta.DeletionTimestamp != nil {
		return "is being deleted"
	}
	for _, ref := range meta.OwnerReferences {
		if isController(ref) && !toCredential(ref) {
			return "is controlled by " + controllerName(ref)
		}
	}
	return ""
}

// controllerName names another object where its reference looks like one: whoever may write Secrets may write anything there, and this is for status.
func controllerName(ref metav1.OwnerReference) string {
	if !isName(ref.Name) || !isKind.MatchString(ref.Kind) {
		return "another object"
	}
	return ref.Kind + " " + ref.Name
}

var isKind = regexp.MustCompile(`^[A-Z][A-Za-z0-9]{0,62}$`)
