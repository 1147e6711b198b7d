// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
)

// Roots returns the PEM certificates that replace the system's roots for an endpoint: those of spec.tls.caBundle and of the client Secret. Nil: the
// system's roots. The client Secret must have been read, and have consented.
func (s *State) Roots(endpoint egress.Endpoint) []byte {
	if builtInHosts.Allows(endpoint) {
		return nil
	}
	var ofSecret []byte
	if s.Client.Content != nil {
		ofSecret = s.Client.Content.Data[s.caKey()]
	}
	bundle := caBundle(s.Object)
	switch {
	case len(ofSecret) == 0:
		return bundle
	case len(bundle) == 0:
		return ofSecret
	}
	return slices.Concat(bundle, []byte("\n"), ofSecret)
}

// caKey returns the client Secret's key of a private CA. Empty: none. Under ca.crt, a Secret of another type than Opaque has the CA of its issuer, and
// a target of ours whatever a template put there.
func (s *State) caKey() string {
	if s.Client.Managed {
		return ""
	}
	if s.namesCAKey() {
		return string(s.Object.Spec.ClientSecretRef.Keys.CACertificate)
	}
	if s.Client.Content == nil || cmp.Or(s.Client.Content.Type, corev1.SecretTypeOpaque) != corev1.SecretTypeOpaque {
		return ""
	}
	return "ca.crt"
}

func (s *State) namesCAKey() bool {
	keys := s.Object.Spec.ClientSecretRef.Keys
	return keys != nil && keys.CACertificate != ""
}

func caBundle(obj *v1alpha1.CDPCredential) []byte {
	if obj.Spec.TLS == nil {
		return nil
	}
	return obj.Spec.TLS.CABundle
}
