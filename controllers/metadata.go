package controllers

import (
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// metadata is what we put on a target Secret beside its data.
type metadata struct {
	labels, annotations map[string]string
	// owner is the controller reference. Nil with Retain, and beside keys of others: the Secret must outlive the object.
	owner *metav1.OwnerReference
}

// wantedMetadata never copies the object's own labels and annotations: a GitOps tool would take the Secret for its own and prune it. A Secret that is
// shared holds keys of others.
func wantedMetadata(obj *v1alpha1.CDPCredential, expiresAt time.Time, shared bool) metadata {
	m := metadata{labels: textMap(obj.Spec.Target.Labels), annotations: textMap(obj.Spec.Target.Annotations)}
	if m.labels == nil {
		m.labels = map[string]string{}
	}
	if m.annotations == nil {
		m.annotations = map[string]string{}
	}
	m.labels[v1alpha1.ManagedByLabel] = v1alpha1.ManagedBy
	m.annotations[v1alpha1.CredentialAnnotation] = obj.Name
	if !expiresAt.IsZero() {
		m.annotations[v1alpha1.ExpiresAtAnnotation] = expiryText(expiresAt)
	}
	if !retains(&obj.Spec.Target) && !shared {
		// Without blockOwnerDeletion, which would need the right to set finalizers on the object.
		m.owner = &metav1.OwnerReference{
			APIVersion: v1alpha1.GroupVersion.String(), Kind: "CDPCredential", Name: obj.Name, UID: obj.UID, Controller: new(true),
		}
	}
	return m
}

// on reports whether a Secret has this metadata.
func (m *metadata) on(secret *metav1.ObjectMeta) bool {
	return includes(secret.Labels, m.labels) && includes(secret.Annotations, m.annotations) && sameOwners(secret.OwnerReferences, m.owners(secret.OwnerReferences))
}

func includes(have, want map[string]string) bool {
	for key, value := range want {
		if got, ok := have[key]; !ok || got != value {
			return false
		}
	}
	return true
}

// expiryText has whole seconds, rounded down: never later than the truth.
func expiryText(t time.Time) string { return t.UTC().Truncate(time.Second).Format(time.RFC3339) }

// owners is have with our reference as it should be. A reference to another CDPCredential goes: it is of before a restore from a backup,
// or of before the Secret was handed over, which the annotation decides.
func (m *metadata) owners(have []metav1.OwnerReference) []metav1.OwnerReference {
	want := slices.DeleteFunc(slices.Clone(have), toCredential)
	if m.owner != nil {
		want = append(want, *m.owner)
	}
	return want
}

func toCredential(ref metav1.OwnerReference) bool {
	return isController(ref) && ref.Kind == "CDPCredential" && strings.HasPrefix(ref.APIVersion, v1alpha1.GroupVersion.Group+"/")
}

func sameOwners(a, b []metav1.OwnerReference) bool {
	return slices.EqualFunc(a, b, func(a, b metav1.OwnerReference) bool {
		return a.UID == b.UID && a.Name == b.Name && a.Kind == b.Kind && a.APIVersion == b.APIVersion && isController(a) == isController(b)
	})
}

func isController(ref metav1.OwnerReference) bool { return ref.Controller != nil && *ref.Controller }

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

// controlled says whether another object controls a Secret: it would undo what we write.
func controlled(meta *metav1.ObjectMeta) string {
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

// isName reports whether a text has the form of an object's name.
func isName(text string) bool { return len(validation.IsDNS1123Subdomain(text)) == 0 }
