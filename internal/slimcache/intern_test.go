// SPDX-License-Identifier: Apache-2.0

package slimcache

import (
	"fmt"
	"testing"
	"unsafe"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TestEqualValuesAreKeptOnce: equal values are kept once, others are never mixed up, however many there are.
func TestEqualValuesAreKeptOnce(t *testing.T) {
	t.Parallel()
	var s values[[]byte]
	if got := s.one(nil); got != nil {
		t.Errorf("of none: %q", got)
	}
	first := s.one([]byte("bundle 0"))
	for i := range 200 {
		if got, want := string(s.one(fmt.Appendf(nil, "bundle %d", i))), fmt.Sprintf("bundle %d", i); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	if again := s.one([]byte("bundle 0")); &again[0] != &first[0] {
		t.Error("the first one is kept twice")
	}
	if len(s.known) > 64 {
		t.Errorf("%d are kept", len(s.known))
	}
}

// TestTransformsShare: of two objects alike but for their names a cache holds the large parts once, and no room that nobody needs.
func TestTransformsShare(t *testing.T) {
	t.Parallel()
	trimCredential, trimMetadata := Credentials(), SecretMetadata(noTargetKey)
	object := func(name string) *v1alpha1.CDPCredential {
		obj := credential()
		obj.Name, obj.Spec.Target.Name, obj.Status.TargetName = name, "token-of-"+name, "token-of-"+name // which are two strings
		obj.Spec.TLS = &v1alpha1.TLS{CABundle: []byte("bundle")}
		obj.Status.Conditions = append(make([]metav1.Condition, 0, 4), metav1.Condition{Type: "Ready"})
		got, err := trimCredential(obj)
		if err != nil {
			t.Fatal(err)
		}
		return got.(*v1alpha1.CDPCredential)
	}
	one, other := object("one"), object("other")
	if one.Spec.TLS != other.Spec.TLS || one.Spec.Provider != other.Spec.Provider {
		t.Error("equal blocks are kept twice")
	}
	if a, b := unsafe.StringData(one.Status.TargetName), unsafe.StringData(one.Spec.Target.Name); a != b {
		t.Error("the target's name is kept twice")
	}
	if got := cap(one.Status.Conditions); got != 1 {
		t.Errorf("there is room for %d conditions", got)
	}
	secret := func(annotation string) map[string]string {
		metadata := secretMetadata("marketing", "etl")
		metadata.Annotations = map[string]string{annotation: "auth.example.com"}
		metadata.Labels = map[string]string{"app.kubernetes.io/managed-by": "cdp-credential-operator"}
		if _, err := trimMetadata(metadata); err != nil {
			t.Fatal(err)
		}
		if annotation == v1alpha1.CredentialAnnotation {
			return metadata.Labels
		}
		return metadata.Annotations
	}
	for _, annotation := range []string{v1alpha1.AllowedHostsAnnotation, v1alpha1.CredentialAnnotation} {
		a, b := secret(annotation), secret(annotation)
		a["written"] = "by this test only"
		if b["written"] == "" {
			t.Errorf("%s: equal maps are kept twice", annotation)
		}
	}
}
