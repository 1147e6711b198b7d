// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Labels and annotations that users and other tools may rely on.
const (
	// AllowedHostsAnnotation is set on a client Secret and says to which hosts its values may be sent: names, IP addresses or *.name,
	// separated by commas, each with an optional :port.
	AllowedHostsAnnotation = "cdpcredentials.io/allowed-hosts"
	// AllowBasicAnnotation is set on a client Secret. "true" lets the provider basic copy its values into a target Secret.
	AllowBasicAnnotation = "cdpcredentials.io/allow-basic"
	// AllowedCAAnnotation is set on a client Secret and says which CA certificates spec.tls.caBundle may contain: sha256:HEX of their DER,
	// separated by commas, or * for any.
	AllowedCAAnnotation = "cdpcredentials.io/allowed-ca"
	// AllowRestartAnnotation is set on a workload and names the CDPCredentials that may restart it, separated by commas, or * for all.
	AllowRestartAnnotation = "cdpcredentials.io/allow-restart"
	// RefreshRequestedAtAnnotation is set on a CDPCredential. Each new value requests one new token at once.
	RefreshRequestedAtAnnotation = "cdpcredentials.io/refresh-requested-at"
	// CredentialAnnotation is set on a target Secret and names the CDPCredential that owns its content. Setting it by hand hands a
	// Secret over.
	CredentialAnnotation = "cdpcredentials.io/credential"
	// ExpiresAtAnnotation is set on a target Secret and says in RFC 3339 when its token expires. basic has none.
	ExpiresAtAnnotation = "cdpcredentials.io/expires-at"
	// StateAnnotation is set on a target Secret and holds what the operator needs to know about what it wrote there. Its format may change.
	StateAnnotation = "cdpcredentials.io/state"
	// RestartedAtAnnotation is set on the pod template of a workload of spec.rolloutRestart and says in RFC 3339 when the operator last restarted
	// it.
	RestartedAtAnnotation = "cdpcredentials.io/restarted-at"
	// RestartedForAnnotation is set beside it and says for which data revisions of which CDPCredentials: a JSON object. Its format may change.
	RestartedForAnnotation = "cdpcredentials.io/restarted-for"
	// SecretVersionAnnotation is set on pods that mount the target Secret of a CDPCredential with spec.target.refreshPods, NAME=RESOURCEVERSION: which
	// version of the Secret their kubelet was last told of. With several such Secrets they are sorted by name, with commas between.
	SecretVersionAnnotation = "cdpcredentials.io/secret-version"
	// ManagedByLabel is set on a target Secret with the value ManagedBy.
	ManagedByLabel = "app.kubernetes.io/managed-by"
	// ManagedBy is the value of ManagedByLabel and the operator's field manager.
	ManagedBy = "cdp-credential-operator"
)
