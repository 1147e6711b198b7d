package controllers

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
)

// Labels and annotations with which a Secret makes other controllers act with rights that the author of a CDPCredential may not have:
// copy Secrets between namespaces, or take the Secret for a cluster's or a repository's credentials.
var (
	triggeringDomains = []string{
		"kubernetes.io", "k8s.io", "external-secrets.io", "bitnami.com", "mittwald.de", "emberstack.com", "appscode.com", "cert-manager.io", "jenkins.io",
		"secrets.hashicorp.com", "cattle.io", "openshift.io",
	}
	triggeringKeys = []string{"argocd.argoproj.io/secret-type", "argocd.argoproj.io/tracking-id"}
	harmlessPrefix = "app.kubernetes.io/"
)

// triggers names a key of target metadata that the author may not set. Empty: all are fine. Allowed are the prefixes and keys that an
// administrator has opened.
func triggers(target *v1alpha1.Target, allowed []string) string {
	for _, key := range append(sortedKeys(target.Labels), sortedKeys(target.Annotations)...) {
		lower := strings.ToLower(key)
		if strings.HasPrefix(lower, harmlessPrefix) || slices.ContainsFunc(allowed, func(open string) bool { return key == open || strings.HasPrefix(key, open+"/") }) {
			continue
		}
		domain, _, prefixed := strings.Cut(lower, "/")
		if !prefixed {
			continue
		}
		if slices.Contains(triggeringKeys, lower) || slices.ContainsFunc(triggeringDomains, func(d string) bool { return domain == d || strings.HasSuffix(domain, "."+d) }) {
			return key
		}
	}
	return ""
}

// clusterCredentials are the types of Secrets that hold a credential of the cluster itself.
var clusterCredentials = []corev1.SecretType{
	corev1.SecretTypeServiceAccountToken, corev1.SecretTypeBootstrapToken, corev1.SecretTypeDockercfg, corev1.SecretTypeDockerConfigJson,
}

// guardClusterCredential keeps a credential of the cluster itself from everybody, the vendors and the administrator's hosts included, to whom
// the Secret does not say that it may go. basic sends nothing, and so has nobody that it could name.
func guardClusterCredential(v *view) *failure {
	secret := v.client.secret
	if !slices.Contains(clusterCredentials, secret.Type) {
		return nil
	}
	problem := fmt.Sprintf("Secret %s is of the type %s, a credential of the cluster itself", secret.Name, secret.Type)
	if v.intent.provider == "basic" {
		return &failure{reason: v1alpha1.ReasonSecretKeyInvalid, message: problem + ": name another Secret in spec.clientSecretRef", stalled: true, attempted: true}
	}
	hosts, err := egress.ParseHosts(v.client.allowedHosts)
	if err == nil && hosts.Allows(v.intent.endpoint) {
		return nil
	}
	f := hostNotAllowed(v.obj, v.client.allowedHosts, v.intent.endpoint, err)
	f.message, f.attempted = problem+": "+f.message, true
	return f
}
