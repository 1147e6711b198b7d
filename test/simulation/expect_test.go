// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// expect returns the reason that keeps an object from its next token, judging by the API server and the vendor. Empty: none.
func (j *judge) expect(o *object) string {
	obj := o.get()
	if obj == nil {
		return "it does not exist"
	}
	spec := &obj.Spec
	for _, template := range spec.Target.Data {
		if rendered[template] == nil {
			return v1alpha1.ReasonInvalidTemplate
		}
	}
	target, client := o.target(), j.w.api.secrets[o.secret(spec.ClientSecretRef.Name)]
	switch {
	case spec.Suspend:
		return v1alpha1.ReasonSuspended
	case spec.TLS != nil:
		return v1alpha1.ReasonInvalidSpec
	case target != nil && owner(target) != obj.Name:
		return v1alpha1.ReasonTargetNotOwned
	case target != nil && !usable(target):
		return v1alpha1.ReasonTargetUnusable
	case client == nil:
		return v1alpha1.ReasonSecretNotFound
	}
	host, keys := needs(&spec.Provider)
	if j.lacksValue(o) {
		return v1alpha1.ReasonSecretKeyMissing
	}
	if host == "" {
		return ""
	}
	if allowed := client.Annotations[v1alpha1.AllowedHostsAnnotation]; host != apsisHost && !strings.HasPrefix(allowed, consent) && allowed != host {
		return v1alpha1.ReasonHostNotAllowed
	}
	if verify := spec.Verify; verify != nil && j.w.vendors.hosts[apiHost].trouble != fine {
		return v1alpha1.ReasonTokenRejected
	}
	id := o.clientID(spec.ClientSecretRef.Name)
	h := j.w.vendors.hosts[host]
	switch {
	case h == nil || h.trouble != fine:
		return v1alpha1.ReasonEndpointUnavailable
	case keys[0] == "tenant-hash" && string(client.Data["oauth-key-secret"]) != j.w.vendors.secrets[id],
		keys[0] != "tenant-hash" && string(client.Data["client-secret"]) != j.w.vendors.secrets[id]:
		return v1alpha1.ReasonCredentialsRejected
	case spec.Refresh != nil && spec.Refresh.MaxPerDay != nil:
		return v1alpha1.ReasonBudgetSpent // not necessarily
	}
	return ""
}

// lacksValue reports whether the client Secret lacks a key that the provider reads.
func (j *judge) lacksValue(o *object) bool {
	spec := &o.get().Spec
	_, keys := needs(&spec.Provider)
	client := j.w.api.secrets[o.secret(spec.ClientSecretRef.Name)]
	return client != nil && slices.ContainsFunc(keys, func(key string) bool { return len(client.Data[key]) == 0 })
}

// needs returns the host that a provider calls, empty for none, and the keys that it reads.
func needs(p *v1alpha1.Provider) (host string, keys []string) {
	keys = []string{"client-id", "client-secret"}
	switch {
	case p.OAuth2 != nil:
		return strings.TrimSuffix(strings.TrimPrefix(string(p.OAuth2.TokenURL), "https://"), "/token"), keys
	case p.Experiture != nil:
		return otherHost, keys
	case p.Apsis != nil:
		return apsisHost, keys
	case p.Auth0 != nil:
		return auth0Host, keys
	case p.Algonomy != nil:
		return algonomyHost, []string{"tenant-hash"}
	}
	return "", []string{"token-id", "token-secret"}
}

func usable(secret *corev1.Secret) bool {
	for _, ref := range secret.OwnerReferences {
		if ref.Controller != nil && *ref.Controller && ref.Kind != "CDPCredential" {
			return false
		}
	}
	return (secret.Immutable == nil || !*secret.Immutable) && (secret.Type == "" || secret.Type == corev1.SecretTypeOpaque)
}
