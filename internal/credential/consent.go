// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
)

// Whoever may create CDPCredentials may not be allowed to read Secrets. So a Secret whose owner never thought of this operator must be of no use to it:
// the Secret itself has to consent. Consent depends on the spec and on the Secret's metadata and type. It is checked before any value is looked at, so
// that a refusal tells neither which keys exist nor whether their values are well formed.

// clientConsent returns why the client Secret may not be used as the object asks, as far as its metadata tells. Nil: it may.
func clientConsent(s *State) *Failure {
	if f := managedConsent(s); f != nil {
		return f
	}
	if s.Desired.Flow.Exchanges() {
		return cmp.Or(hostConsent(s, s.Desired.Endpoint), caBundleConsent(s))
	}
	if f := basicConsent(s); f != nil || s.Object.Spec.Verify == nil {
		return f
	}
	return caBundleConsent(s) // for spec.verify.url
}

// liveConsent checks again once the Secret was read, as its type is known then. A refusal counts as an attempt: the cache cannot show it, and only a
// change helps.
func liveConsent(s *State) *Failure {
	f := clientConsent(s)
	if f == nil && s.Desired.Flow.Exchanges() { // the CA for spec.verify.url is checked when that is called
		f = caConsent(s, s.Desired.Endpoint)
	}
	if f != nil {
		f.Attempted = true
	}
	return f
}

// managedConsent keeps what the operator wrote itself from being sent or copied further. The Secret's owner may consent with allowed-hosts, but only for
// the keys that the operator writes by default: a template can compose any text.
func managedConsent(s *State) *Failure {
	if !s.Client.Managed {
		return nil
	}
	name := s.Object.Spec.ClientSecretRef.Name
	if !s.Desired.Flow.Exchanges() || strings.TrimSpace(s.Client.AllowedHosts) == "" {
		return stalled(v1alpha1.ReasonSecretNotAllowed, fmt.Sprintf(
			"Secret %s is or was the target of a CDPCredential, and cannot be used as a client Secret: name the Secret that holds the client's own credentials", name))
	}
	if s.namesCAKey() {
		return stalled(v1alpha1.ReasonSecretNotAllowed, fmt.Sprintf(
			"Secret %s is or was the target of a CDPCredential, and so brings no CA: remove spec.clientSecretRef.keys.caCertificate, or name another Secret", name))
	}
	return managedKeysConsent(s, name)
}

// managedKeysConsent returns the first key that is used of a Secret that the operator wrote, but is not one that it writes by default.
func managedKeysConsent(s *State, name string) *Failure {
	written := cmp.Or(ParseAnyPersistedState(s.Client.PersistedState), &PersistedState{})
	for _, key := range s.Desired.Flow.Keys {
		isDefault := slices.Contains(written.DefaultKeys, key.Name)
		isUsed := !key.Optional || slices.Contains(written.Keys, key.Name)
		if isUsed && !isDefault {
			return stalled(v1alpha1.ReasonSecretNotAllowed, fmt.Sprintf(
				"Secret %s is or was the target of a CDPCredential, and its key %s is not one that the operator writes by default: name another key in spec.clientSecretRef.keys.%s, or another Secret",
				name, key.Name, key.Field))
		}
	}
	return nil
}

// basicConsent is for the flow that copies values into the target, where whoever may read that can read them.
func basicConsent(s *State) *Failure {
	name := s.Object.Spec.ClientSecretRef.Name
	if s.Client.Content != nil && slices.Contains(clusterCredentials, s.Client.Content.Type) {
		return stalled(v1alpha1.ReasonSecretNotAllowed, fmt.Sprintf("Secret %s is a credential of the cluster itself: name another Secret in spec.clientSecretRef", name))
	}
	if s.Client.AllowBasic == "true" {
		return nil
	}
	return stalled(v1alpha1.ReasonSecretNotAllowed, fmt.Sprintf("basic copies values of Secret %s into the target, to which the Secret does not consent; whoever may change the Secret allows it with: %s",
		name, annotate(s.Object.Namespace, name, v1alpha1.AllowBasicAnnotation, "true")))
}

// clusterCredentials are the types of Secrets that hold credentials of the cluster itself.
var clusterCredentials = []corev1.SecretType{
	corev1.SecretTypeServiceAccountToken, corev1.SecretTypeBootstrapToken, corev1.SecretTypeDockercfg, corev1.SecretTypeDockerConfigJson,
}

// hostConsent returns why the values of the client Secret may not be sent to the endpoint. Nil: they may. The Secret's type counts once it was read.
func hostConsent(s *State, endpoint egress.Endpoint) *Failure {
	if !s.TokenHostsOnly.Empty() && !s.TokenHostsOnly.Allows(endpoint) {
		return stalled(v1alpha1.ReasonHostNotAllowed, fmt.Sprintf("%s is not among the hosts that the administrator allows with --token-hosts-only: use another one, or ask whoever runs the operator",
			hostOf(endpoint)))
	}
	own, err := egress.ParseHosts(s.Client.AllowedHosts)
	if err == nil && own.Allows(endpoint) {
		return nil
	}
	problem := needsOwnConsent(s, endpoint)
	if problem == "" {
		return nil
	}
	return hostNotAllowed(s, endpoint, problem, err != nil)
}

// needsOwnConsent returns why values may go to the endpoint only if the Secret itself says so. Empty: they may without, to a host that the
// administrator allows, and from an ordinary client Secret to the vendor's own host.
func needsOwnConsent(s *State, endpoint egress.Endpoint) string {
	name, kind := s.Object.Spec.ClientSecretRef.Name, corev1.SecretTypeOpaque
	if s.Client.Content != nil {
		kind = cmp.Or(s.Client.Content.Type, kind)
	}
	switch {
	case s.Client.Managed:
		return fmt.Sprintf("Secret %s is or was the target of a CDPCredential, and does not itself allow its values to be sent to %s", name, hostOf(endpoint))
	case slices.Contains(clusterCredentials, kind):
		return fmt.Sprintf("Secret %s is a credential of the cluster itself and does not itself allow its values to be sent to %s", name, hostOf(endpoint))
	case s.AllowedHosts.Allows(endpoint):
		return ""
	case !s.Desired.isVendorsOwn(endpoint):
		return fmt.Sprintf("Secret %s does not allow its values to be sent to %s", name, hostOf(endpoint))
	case endpoint.Port != 443:
		return fmt.Sprintf("%s is not the port of the vendor's own endpoint, and Secret %s does not allow its values to be sent there", hostOf(endpoint), name)
	case !s.Desired.Flow.UsesDefaultKeys():
		return fmt.Sprintf("spec.clientSecretRef.keys names other keys than the default ones, for which Secret %s itself must allow its values to be sent to %s", name, hostOf(endpoint))
	case kind != corev1.SecretTypeOpaque:
		return fmt.Sprintf("Secret %s is not of the type Opaque, for which it must itself allow its values to be sent to %s", name, hostOf(endpoint))
	}
	return ""
}

// hostNotAllowed names the command that gives consent. It does not quote the annotation: whoever reads status may not be allowed to read that.
func hostNotAllowed(s *State, endpoint egress.Endpoint, problem string, unreadable bool) *Failure {
	namespace, name := s.Object.Namespace, s.Object.Spec.ClientSecretRef.Name
	fix := "if that host is right, whoever may change the Secret allows it with: " + annotate(namespace, name, v1alpha1.AllowedHostsAnnotation, hostOf(endpoint))
	switch {
	case unreadable:
		problem = fmt.Sprintf("the annotation %s of Secret %s has an invalid entry, and therefore allows nothing", v1alpha1.AllowedHostsAnnotation, name)
		fix = fmt.Sprintf("whoever may change the Secret corrects it: names, *.NAME or IP addresses, each with an optional :PORT, separated by commas; %s must be among them", hostOf(endpoint))
	case strings.TrimSpace(s.Client.AllowedHosts) != "":
		fix = fmt.Sprintf("if that host is right, whoever may change the Secret adds %s to its annotation %s, with a comma after what is there: kubectl edit secret -n %s %s",
			hostOf(endpoint), v1alpha1.AllowedHostsAnnotation, namespace, name)
	}
	return stalled(v1alpha1.ReasonHostNotAllowed, problem+"; "+fix)
}

// caBundleConsent returns why the CA in spec.tls.caBundle may not vouch for the endpoint: who answers at a host matters as much as the host. Nil: it
// may, or there is none. Whether the bundle is well formed is checked when the object has changed, and before it is used.
func caBundleConsent(s *State) *Failure {
	bundle := caBundle(s.Object)
	if len(bundle) == 0 {
		return nil
	}
	if builtInHosts.Allows(s.Desired.Endpoint) {
		return stalled(v1alpha1.ReasonCANotAllowed, fmt.Sprintf("no private CA is accepted for the vendor's own host %s: remove spec.tls.caBundle", hostOf(s.Desired.Endpoint)))
	}
	allowed, err := egress.ParseCAs(s.Client.AllowedCA)
	if err == nil && allowed.Allow(bundle) {
		return nil
	}
	name := s.Object.Spec.ClientSecretRef.Name
	problem := fmt.Sprintf("Secret %s does not allow the CA of spec.tls.caBundle", name)
	if err != nil {
		problem = fmt.Sprintf("the annotation %s of Secret %s cannot be read (%s)", v1alpha1.AllowedCAAnnotation, name, err)
	}
	sums, err := egress.CASums(bundle)
	if err != nil {
		return stalled(v1alpha1.ReasonInvalidSpec, "spec.tls.caBundle: "+err.Error())
	}
	return stalled(v1alpha1.ReasonCANotAllowed, fmt.Sprintf(
		"%s; if that CA is right, whoever may change the Secret allows it with: %s; or puts the CA under the Secret's key ca.crt in place of spec.tls.caBundle",
		problem, annotate(s.Object.Namespace, name, v1alpha1.AllowedCAAnnotation, strings.Join(sums, ","))))
}

// caConsent returns what is wrong with the CA in the client Secret itself. Nil: nothing, or it has none.
func caConsent(s *State, endpoint egress.Endpoint) *Failure {
	if builtInHosts.Allows(endpoint) {
		return nil
	}
	name, key, named := s.Object.Spec.ClientSecretRef.Name, s.caKey(), s.namesCAKey()
	certificates := s.Client.Content.Data[key]
	if len(certificates) == 0 && named {
		missing := &missingKeyError{Secret: name, Key: key, Field: "caCertificate"}
		return stalled(v1alpha1.ReasonSecretKeyMissing, missing.Error())
	}
	if len(certificates) == 0 {
		return nil
	}
	if err := egress.CheckCABundle(certificates); err != nil {
		return stalled(v1alpha1.ReasonSecretKeyInvalid, fmt.Sprintf("Secret %s, key %s: %s", name, key, err))
	}
	return nil
}
