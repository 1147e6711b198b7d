// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// rareHistories contain what the operator's own requests rarely or never reach.
var rareHistories = []struct {
	name string
	do   func(s *apiServer)
}{
	{"a patch with everything in it", func(s *apiServer) {
		s.makeSecret("x")
		s.patchWith("x", `{"metadata":{"uid":%q,"resourceVersion":%q,"labels":{"a":"b"},"annotations":{"c":"d"},"ownerReferences":[]},"data":{"k":"dg==","l":"bA=="}}`)
		s.patchWith("x", `{"metadata":{"uid":%q,"resourceVersion":%q,"labels":{"a":null,"none":null},"annotations":{"c":"e"},"ownerReferences":[]},"data":{"k":null}}`)
	}},
	{"a patch that changes nothing keeps the version", func(s *apiServer) {
		s.makeSecret("x")
		s.patchWith("x", `{"metadata":{"uid":%q,"resourceVersion":%q,"annotations":{"c":"d","none":null},"ownerReferences":null}}`)
		s.patchWith("x", `{"metadata":{"uid":%q,"resourceVersion":%q,"annotations":{"c":"d","none":null},"ownerReferences":null},"data":{"none":null}}`)
		s.patchWith("x", `{"metadata":{"uid":%q,"resourceVersion":%q,"annotations":{"c":"other"},"ownerReferences":null}}`)
	}},
	{"a patch of another Secret of that name", func(s *apiServer) {
		s.makeSecret("x")
		_, _ = s.patchSecret(nil, nameOf("x"), []byte(`{"metadata":{"uid":"7f1c2a52-6d3e-4b58-9d0c-1f2e3d4c5b6a","annotations":{"c":"d"}}}`))
	}},
	{"a patch of a stale version", func(s *apiServer) {
		s.makeSecret("x")
		stale := s.secrets[nameOf("x")].ResourceVersion
		s.editSecret(nameOf("x"), func(s *corev1.Secret) { s.Labels = map[string]string{"a": "b"} })
		_, _ = s.patchSecret(nil, nameOf("x"), fmt.Appendf(nil, `{"metadata":{"resourceVersion":%q,"annotations":{"c":"d"}}}`, stale))
		_, _ = s.patchSecret(nil, nameOf("x"), fmt.Appendf(nil, `{"metadata":{"resourceVersion":%q,"labels":{"a":"b"}}}`, stale)) // changes nothing
	}},
	{"a patch of a Secret that was deleted, or created again", func(s *apiServer) {
		s.makeSecret("x")
		before := s.secrets[nameOf("x")]
		body := fmt.Appendf(nil, `{"metadata":{"uid":%q,"resourceVersion":%q,"annotations":{"c":"d"}}}`, before.UID, before.ResourceVersion)
		_ = s.deleteSecret(nil, nameOf("x"), nil)
		_, _ = s.patchSecret(nil, nameOf("x"), body)
		_, _ = s.patchSecret(nil, nameOf("never"), []byte(`{"metadata":{"annotations":{"c":"d"}}}`))
		s.makeSecret("x")
		_, _ = s.patchSecret(nil, nameOf("x"), body)
	}},
	{"a create of a Secret that exists", func(s *apiServer) {
		s.makeSecret("x")
		s.makeSecret("x")
	}},
	{"dry runs change nothing", func(s *apiServer) {
		_ = s.tryCreate(nameOf("x"))
		_ = s.tryPatch(nameOf("x"), []byte(`{"metadata":{"annotations":{"c":"e"}}}`))
		s.makeSecret("x")
		is := s.secrets[nameOf("x")]
		_ = s.tryCreate(nameOf("x"))
		_ = s.tryPatch(nameOf("x"), fmt.Appendf(nil, `{"metadata":{"uid":%q,"resourceVersion":%q,"annotations":{"c":"e"}},"data":{"k":"dw=="}}`, is.UID, is.ResourceVersion))
		_ = s.tryPatch(nameOf("x"), fmt.Appendf(nil, `{"metadata":{"uid":%q,"resourceVersion":"1","annotations":{"c":"e"}}}`, is.UID))
		_ = s.tryPatch(nameOf("x"), []byte(`{"metadata":{"labels":{"a":"not a label"}}}`))
		s.makeSecret("y")
	}},
	{"an immutable Secret", func(s *apiServer) {
		s.makeSecret("x")
		s.editSecret(nameOf("x"), func(s *corev1.Secret) { s.Immutable = new(true) })
		s.patchWith("x", `{"metadata":{"uid":%q,"resourceVersion":%q,"annotations":{"c":"d"}},"data":{"k":"dw=="}}`)
		s.patchWith("x", `{"metadata":{"uid":%q,"resourceVersion":%q,"annotations":{"c":"d"}}}`)
		_, _ = s.patchSecret(nil, nameOf("x"), []byte(`{"metadata":{"uid":"another"},"data":{"k":"dw=="}}`))
		_ = s.deleteSecret(nil, nameOf("x"), nil)
	}},
	{"an invalid Secret", func(s *apiServer) {
		s.makeSecret("x")
		s.patchWith("x", `{"metadata":{"uid":%q,"resourceVersion":%q,"labels":{"a":"not a label"}}}`)
		s.patchWith("x", `{"metadata":{"uid":%q,"resourceVersion":%q,"annotations":{"not a key":"d"}}}`)
		s.patchWith("x", `{"metadata":{"uid":%q,"resourceVersion":%q},"data":{"not/a key":"dw=="}}`)
		s.patchWith("x", `{"metadata":{"uid":%q,"resourceVersion":%q,"ownerReferences":[`+
			`{"apiVersion":"v1","kind":"A","name":"a","uid":"1","controller":true},{"apiVersion":"v1","kind":"B","name":"b","uid":"2","controller":true}]}}`)
	}},
	{"deletes with preconditions", func(s *apiServer) {
		s.makeSecret("x")
		is := s.secrets[nameOf("x")]
		stale := is.ResourceVersion
		_ = s.deleteSecret(nil, nameOf("x"), &metav1.Preconditions{UID: new(types.UID("another"))})
		s.editSecret(nameOf("x"), func(s *corev1.Secret) { s.Labels = map[string]string{"a": "b"} })
		_ = s.deleteSecret(nil, nameOf("x"), &metav1.Preconditions{UID: &is.UID, ResourceVersion: &stale})
		_ = s.deleteSecret(nil, nameOf("x"), &metav1.Preconditions{UID: &is.UID, ResourceVersion: &s.secrets[nameOf("x")].ResourceVersion})
		_ = s.deleteSecret(nil, nameOf("x"), &metav1.Preconditions{UID: &is.UID})
		_ = s.deleteSecret(nil, nameOf("x"), nil)
	}},
	{"a Secret with a finalizer", func(s *apiServer) {
		s.makeSecret("x")
		s.editSecret(nameOf("x"), func(s *corev1.Secret) { s.Finalizers = []string{"example.com/keep"} })
		is := s.secrets[nameOf("x")]
		_ = s.deleteSecret(nil, nameOf("x"), &metav1.Preconditions{UID: &is.UID, ResourceVersion: &is.ResourceVersion})
		_ = s.deleteSecret(nil, nameOf("x"), nil)
		s.patchWith("x", `{"metadata":{"uid":%q,"resourceVersion":%q,"annotations":{"c":"e"},"ownerReferences":null},"data":{"k":"dw=="}}`)
		s.makeSecret("x")
		s.editSecret(nameOf("x"), func(s *corev1.Secret) { s.Finalizers = nil })
		s.makeSecret("x")
	}},
	{"an object with a finalizer", func(s *apiServer) {
		s.makeCredential("x")
		s.editCredential(nameOf("x"), func(o *v1alpha1.CDPCredential) { o.Finalizers = []string{"example.com/keep"} })
		s.deleteCredential(nameOf("x"))
		s.deleteCredential(nameOf("x"))
		s.patchStatusWith("x", `{"op":"add","path":"/status/failures","value":1}`)
		s.editCredential(nameOf("x"), func(o *v1alpha1.CDPCredential) { o.Spec.Suspend = true })
		s.editCredential(nameOf("x"), func(o *v1alpha1.CDPCredential) { o.Finalizers = nil })
		_, _ = s.patchStatus(nil, nameOf("x"), []byte(`[{"op":"add","path":"/status/failures","value":2}]`))
	}},
	{"generations", func(s *apiServer) {
		s.makeCredential("x")
		s.patchStatusWith("x", `{"op":"add","path":"/status/observedGeneration","value":1},`+
			`{"op":"add","path":"/status/conditions","value":[{"type":"Ready","status":"False","reason":"NoToken","message":"","lastTransitionTime":"2026-08-03T22:14:07Z"}]}`)
		s.editCredential(nameOf("x"), func(o *v1alpha1.CDPCredential) { o.Annotations = map[string]string{"a": "b"} })
		s.editCredential(nameOf("x"), func(o *v1alpha1.CDPCredential) { o.Spec.Suspend = true })
		s.editCredential(nameOf("x"), func(o *v1alpha1.CDPCredential) { o.Spec.Suspend, o.Labels = false, map[string]string{"a": "b"} })
		s.editCredential(nameOf("x"), func(o *v1alpha1.CDPCredential) { o.Status = v1alpha1.CDPCredentialStatus{} })
	}},
	{"patches of a status", func(s *apiServer) {
		s.makeCredential("x")
		s.patchStatusWith("x", `{"op":"add","path":"/status/failures","value":1},{"op":"add","path":"/status/issuance","value":{"day":"2026-08-03","count":1}}`)
		s.patchStatusWith("x", `{"op":"add","path":"/status/failures","value":1},{"op":"add","path":"/status/targetName","value":null}`) // changes nothing
		s.patchStatusWith("x", `{"op":"add","path":"/status/failures","value":null},{"op":"add","path":"/status/issuance","value":null}`)
		other := []byte(`[{"op":"test","path":"/metadata/uid","value":"7f1c2a52-6d3e-4b58-9d0c-1f2e3d4c5b6a"},{"op":"add","path":"/status/failures","value":2}]`)
		_, _ = s.patchStatus(nil, nameOf("x"), other)
		_, _ = s.patchStatus(nil, nameOf("never"), other)
		before := s.credentials[nameOf("x")].UID
		s.deleteCredential(nameOf("x"))
		_, _ = s.patchStatus(nil, nameOf("x"), other)
		s.makeCredential("x")
		_, _ = s.patchStatus(nil, nameOf("x"), fmt.Appendf(nil, `[{"op":"test","path":"/metadata/uid","value":%q},{"op":"add","path":"/status/failures","value":2}]`, before))
	}},
	{"a namespace that is being deleted", func(s *apiServer) {
		s.makeSecret("x")
		s.makeCredential("x")
		s.endNamespace("a")
		_ = s.tryCreate(nameOf("x"))
		_ = s.tryCreate(nameOf("y"))
		s.makeSecret("x")
		s.makeSecret("y")
		s.patchWith("x", `{"metadata":{"uid":%q,"resourceVersion":%q,"annotations":{"c":"e"}},"data":{"k":"dw=="}}`)
		s.patchStatusWith("x", `{"op":"add","path":"/status/failures","value":1}`)
		_, _ = s.patchSecret(nil, nameOf("y"), []byte(`{"metadata":{"annotations":{"c":"d"}}}`))
		_ = s.deleteSecret(nil, nameOf("x"), &metav1.Preconditions{UID: &s.secrets[nameOf("x")].UID})
		s.makeSecret("x")
	}},
}

func nameOf(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: "a", Name: name}
}

func (s *apiServer) makeSecret(name string) {
	secret := &corev1.Secret{Type: corev1.SecretTypeOpaque, Data: map[string][]byte{"k": []byte("v")}}
	secret.Annotations = map[string]string{"c": "d"}
	_, _ = s.createSecret(nil, nameOf(name), secret)
}

func (s *apiServer) makeCredential(name string) {
	s.createCredential(nameOf(name), &v1alpha1.CDPCredential{Spec: v1alpha1.CDPCredentialSpec{
		Provider:        v1alpha1.Provider{Auth0: &v1alpha1.Auth0{Domain: "auth.example.com", Audience: "https://api.example.com"}},
		ClientSecretRef: v1alpha1.ClientSecretReference{Name: "client"},
		Target:          v1alpha1.Target{Name: "token"},
	}})
}

// patchWith patches a Secret; the two verbs of the body are replaced by its UID and version.
func (s *apiServer) patchWith(name, body string) {
	is := s.secrets[nameOf(name)]
	_, _ = s.patchSecret(nil, nameOf(name), fmt.Appendf(nil, body, is.UID, is.ResourceVersion))
}

// patchStatusWith patches a status after a test of the UID.
func (s *apiServer) patchStatusWith(name, body string) {
	_, _ = s.patchStatus(nil, nameOf(name), fmt.Appendf(nil, `[{"op":"test","path":"/metadata/uid","value":%q},%s]`, s.credentials[nameOf(name)].UID, body))
}
