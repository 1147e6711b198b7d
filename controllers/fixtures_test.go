// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential/credentialtest"
)

func specOf(p v1alpha1.Provider) *v1alpha1.CDPCredentialSpec {
	return &v1alpha1.CDPCredentialSpec{Provider: p, ClientSecretRef: v1alpha1.ClientSecretReference{Name: "etl-client"}}
}

// The literals of these tests.
const uid = credentialtest.UID

var at, clockText, ownedByUs = credentialtest.At, credentialtest.Clock, credentialtest.OwnerReferences

// steady is a view of marketing/etl at 11:17:43, with which all is well.
func steady() *credential.State {
	obj := &v1alpha1.CDPCredential{}
	obj.Namespace, obj.Name, obj.UID, obj.Generation = "marketing", "etl", uid, 3
	obj.Spec.ClientSecretRef.Name = "etl-client"
	obj.Spec.Target.Name = "etl-token"
	s := &credential.State{Now: at("11:17:43"), Object: obj, Client: credential.ClientSecret{Found: true, Version: "c/7", AllowedHosts: "auth.example.com"}}
	s.Target = credential.TargetSecret{Name: "etl-token", Found: true, Version: "t/9", Content: credential.ContentIntact, Persisted: &credential.PersistedState{
		Salt:              []byte("salt"),
		Object:            "etl",
		PersistedToken:    credential.PersistedToken{IssuedAt: at("11:00:00"), ExpiresAt: at("12:00:00"), TokenType: "Bearer"},
		PersistedIssuance: credential.PersistedIssuance{Cause: "Missing"},
		PersistedTarget:   credential.PersistedTarget{TokenMAC: "seal", TargetSpecHash: credential.TargetSpecHash(&obj.Spec.Target)},
	}}
	s.Target.Metadata.UID, s.Target.Metadata.ResourceVersion = "t", "9"
	s.Target.Metadata.Labels = map[string]string{"app.kubernetes.io/managed-by": "cdp-credential-operator"}
	s.Target.Metadata.Annotations = map[string]string{
		"cdpcredentials.io/credential": "etl", "cdpcredentials.io/expires-at": "2026-03-01T12:00:00Z", "cdpcredentials.io/state": "{}",
	}
	s.Target.Metadata.OwnerReferences = ownedByUs()
	s.Current = s.Target
	provide(s, v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: "https://auth.example.com/oauth/token"}})
	return s
}

// provide gives the object another provider.
func provide(s *credential.State, p v1alpha1.Provider) {
	s.Object.Spec.Provider = p
	s.Desired, s.DesiredErr = credential.DesiredFlowOf(&s.Object.Spec)
}

// intentFor is what a provider comes to.
func intentFor(p v1alpha1.Provider) credential.DesiredFlow {
	in, err := credential.DesiredFlowOf(specOf(p))
	if err != nil {
		panic(err)
	}
	return in
}

func basic(s *credential.State) {
	provide(s, v1alpha1.Provider{Basic: &v1alpha1.Basic{}})
	s.Client.AllowBasic = "true"
	s.Current.Persisted.IssuedAt, s.Current.Persisted.ExpiresAt = time.Time{}, time.Time{}
	delete(s.Target.Metadata.Annotations, "cdpcredentials.io/expires-at")
}

func missing(s *credential.State) {
	s.Target = credential.TargetSecret{Name: "etl-token"}
	s.Current = s.Target
}

func suspended(s *credential.State) { s.Object.Spec.Suspend = true }
