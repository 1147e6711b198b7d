package controllers

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
)

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
