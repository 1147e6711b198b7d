// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// CDPCredentialSpec is what the user wants.
// +kubebuilder:validation:XValidation:rule="self.target.name != self.clientSecretRef.name",message="target.name must not be the client Secret's own name: the token would be written over the credentials"
type CDPCredentialSpec struct {
	// provider is the system that hands out the token. Exactly one member must be set.
	// +required
	Provider Provider `json:"provider"`

	// clientSecretRef names the Secret of the same namespace that holds the credentials to exchange.
	// +required
	ClientSecretRef ClientSecretReference `json:"clientSecretRef"`

	// tls says how the endpoint's certificate is checked. Empty means against the system's roots.
	// +optional
	TLS *TLS `json:"tls,omitempty"`

	// target is the Secret that the token is written to.
	// +required
	Target Target `json:"target"`

	// refresh says when the token is renewed. Empty means the defaults of its members.
	// +optional
	Refresh *Refresh `json:"refresh,omitempty"`

	// verify checks that the API itself accepts the token. Empty means no check.
	// +optional
	Verify *Verify `json:"verify,omitempty"`

	// rolloutRestart names workloads of this namespace that are restarted when the target Secret's data has changed, because they read it
	// only when they start (environment variables, subPath volumes). Only where an administrator has turned this on. Empty means none.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=kind
	// +listMapKey=name
	RolloutRestart []RolloutRestart `json:"rolloutRestart,omitempty"`

	// suspend stops exchanges, writes to the target Secret and restarts; status is still updated. Default is false.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// ClientSecretReference names the client Secret and its keys.
type ClientSecretReference struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="must be the name of a Secret of this namespace: lower-case letters, digits, '-' and '.', for example etl-client"
	Name string `json:"name"`

	// keys are the Secret's keys, where they differ from the defaults.
	// +optional
	Keys *ClientSecretKeys `json:"keys,omitempty"`
}

// SecretKey is a key of a Secret.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
type SecretKey string

// ClientSecretKeys are keys of the client Secret. A key that is not set has its default name.
type ClientSecretKeys struct {
	// clientID is the key of the client's id. Default: client-id.
	// +optional
	ClientID SecretKey `json:"clientID,omitempty"`

	// clientSecret is the key of the client's secret. Default: client-secret.
	// +optional
	ClientSecret SecretKey `json:"clientSecret,omitempty"`

	// privateKey is the key of the private key (PEM, PKCS#1 or PKCS#8) for adobe.serviceAccount and PrivateKeyJWT. Default: private-key.
	// +optional
	PrivateKey SecretKey `json:"privateKey,omitempty"`

	// privateKeyPassphrase is the key of the private key's passphrase. The value is optional. Default: private-key-passphrase.
	// +optional
	PrivateKeyPassphrase SecretKey `json:"privateKeyPassphrase,omitempty"`

	// keyID is the key of the assertion's kid. The value is optional. Default: key-id.
	// +optional
	KeyID SecretKey `json:"keyID,omitempty"`

	// tenantHash is the key of Algonomy's tenant hash. Default: tenant-hash.
	// +optional
	TenantHash SecretKey `json:"tenantHash,omitempty"`

	// oauthKeySecret is the key of Algonomy's OAuth key secret. The value is optional. Default: oauth-key-secret.
	// +optional
	OAuthKeySecret SecretKey `json:"oauthKeySecret,omitempty"`

	// tokenID is the key of a basic token's id. Default: token-id.
	// +optional
	TokenID SecretKey `json:"tokenID,omitempty"`

	// tokenSecret is the key of a basic token's secret. Default: token-secret.
	// +optional
	TokenSecret SecretKey `json:"tokenSecret,omitempty"`

	// caCertificate is the key of the PEM certificates of a private CA for the endpoint. Empty means ca.crt, which is read from an Opaque Secret
	// only (a kubernetes.io/tls Secret has its issuer's CA there) and is optional.
	// +optional
	CACertificate SecretKey `json:"caCertificate,omitempty"`
}

// TLS says how the endpoint's certificate is checked.
type TLS struct {
	// caBundle holds the PEM certificates of a private CA, in base64, at most 64 KiB of PEM. They replace the system's roots. Empty
	// means the system's roots.
	// +optional
	// +kubebuilder:validation:MaxLength=87384
	// +kubebuilder:validation:Format=""
	// +kubebuilder:validation:XValidation:rule="self.matches('^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$')",message="must be the PEM file in base64 and without line breaks, as base64 -w0 ca.pem prints it"
	CABundle []byte `json:"caBundle,omitempty"`
}

// DeletionPolicy says what happens to a target Secret that is no longer wanted.
// +kubebuilder:validation:Enum=Delete;Retain
type DeletionPolicy string

// Deletion policies.
const (
	DeletionPolicyDelete DeletionPolicy = "Delete"
	DeletionPolicyRetain DeletionPolicy = "Retain"
)

// LabelValue is the value of a label.
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:Pattern=`^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$`
type LabelValue string

// AnnotationValue is the value of an annotation.
// +kubebuilder:validation:MaxLength=65536
type AnnotationValue string

// DataTemplate is the template of one data key.
// +kubebuilder:validation:MaxLength=65536
type DataTemplate string

// Target is the Secret that the token is written to. It holds the token under the key token, and the other request headers that the vendor's
// API requires, under their names.
// +kubebuilder:validation:XValidation:rule="(has(self.labels) ? self.labels.map(k, bytes(k).size() + bytes(self.labels[k]).size()).sum() : 0) + (has(self.annotations) ? self.annotations.map(k, bytes(k).size() + bytes(self.annotations[k]).size()).sum() : 0) <= 65536",message="labels and annotations may have 64 KiB together"
type Target struct {
	// name of the Secret. It is created if it does not exist. An existing one is changed only if its annotation
	// cdpcredentials.io/credential names this object.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="must be the name of a Secret of this namespace: lower-case letters, digits, '-' and '.', for example etl-token"
	Name string `json:"name"`

	// labels to put on the Secret. This object's own labels are not copied.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.size() <= 317 && k.matches('^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$') && (!k.contains('/') || k.indexOf('/') <= 253))",message="each key must be a label key: an optional DNS prefix and a slash, then a name of at most 63 letters, digits, '-', '_' and '.'"
	// +kubebuilder:validation:XValidation:rule="!self.exists(k, k.startsWith('cdpcredentials.io/') || k == 'app.kubernetes.io/managed-by')",message="cdpcredentials.io/... and app.kubernetes.io/managed-by are the operator's own"
	Labels map[string]LabelValue `json:"labels,omitempty"`

	// annotations to put on the Secret. This object's own annotations are not copied.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.size() <= 317 && k.matches('^([a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?([.][a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$') && (!k.contains('/') || k.indexOf('/') <= 253))",message="each key must be an annotation key: an optional DNS prefix and a slash, then a name of at most 63 letters, digits, '-', '_' and '.'"
	// +kubebuilder:validation:XValidation:rule="!self.exists(k, k.lowerAscii().startsWith('cdpcredentials.io/'))",message="cdpcredentials.io/... are the operator's own"
	Annotations map[string]AnnotationValue `json:"annotations,omitempty"`

	// data are more keys beside the default ones, each a Go template that sees .token, .tokenType, .expiresAt, .clientID, .scopes and
	// .headers; for example authorization: "Bearer {{ .token }}". They may print .token, .clientID and .headers, but not use them in a
	// condition or comparison. Functions: b64enc, toJson, quote, upper, lower, trim, replace, join, default, index, len, eq, ne, lt, le, gt,
	// ge, and, or, not. kubectl cdpcred render shows the outcome.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="!('token' in self)",message="the key token always holds the raw token; choose another key"
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.size() <= 253 && k.matches('^[-._a-zA-Z0-9]+$') && k != '.' && !k.startsWith('..'))",message="each key must be a Secret's key: at most 253 letters, digits, '-', '_' and '.'"
	// +kubebuilder:validation:XValidation:rule="self.map(k, bytes(self[k]).size()).sum() <= 65536",message="all templates together may have 64 KiB"
	Data map[string]DataTemplate `json:"data,omitempty"`

	// deletionPolicy says what happens to the Secret when this object is deleted or names another target: Delete (the default) or
	// Retain.
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// refreshPods makes running pods that mount the Secret as a volume see a new token within a second or two instead of a minute: after each
	// write of the data, the operator changes an annotation of these pods. Pods that read the token only at start do not benefit. It needs an administrator's
	// permission (--enable-pod-refresh) and is off by default.
	// +optional
	RefreshPods bool `json:"refreshPods,omitempty"`
}

// IssuancePolicy says what a new token does to the previous ones.
// +kubebuilder:validation:Enum=Auto;OneActive
type IssuancePolicy string

// Issuance policies.
const (
	IssuanceAuto      IssuancePolicy = "Auto"
	IssuanceOneActive IssuancePolicy = "OneActive"
)

// Refresh says when the token is renewed.
type Refresh struct {
	// before is how long before its expiry the token is renewed. Empty means a quarter of its lifetime, but at least 2m30s (45s while
	// pods are refreshed, see target.refreshPods). It is never more than half of the lifetime.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$')",message="must be a duration in hours, minutes and seconds, for example 10m; a day is 24h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$') || duration(self) > duration('0s')",message="must be above zero, for example 10m"
	Before *metav1.Duration `json:"before,omitempty"`

	// maxPerDay is the largest number of tokens to be issued in one UTC day. Empty means no limit.
	// +optional
	// +kubebuilder:validation:Minimum=1
	MaxPerDay *int32 `json:"maxPerDay,omitempty"`

	// issuance says what a new token does to the previous ones: Auto (the default: they stay valid, or the endpoint returns the same token until it
	// expires, which the operator detects) or OneActive (a new token invalidates them, so none is requested earlier than needed).
	// +optional
	Issuance IssuancePolicy `json:"issuance,omitempty"`
}

// Verify says how to check that the API accepts the token.
type Verify struct {
	// url of the API that is asked with GET and the headers of the provider. Its host needs the same consent as the token endpoint.
	// +required
	URL HTTPSURL `json:"url"`

	// interval between two checks of the same token. Empty means 5m. Below 1s it means 1s.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$')",message="must be a duration in hours, minutes and seconds, for example 5m; a day is 24h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$') || duration(self) > duration('0s')",message="must be above zero, for example 5m"
	Interval *metav1.Duration `json:"interval,omitempty"`
}

// WorkloadKind is a kind of the API group apps whose pods are replaced when their template changes.
// +kubebuilder:validation:Enum=Deployment;StatefulSet;DaemonSet
type WorkloadKind string

// Kinds of workloads.
const (
	WorkloadDeployment  WorkloadKind = "Deployment"
	WorkloadStatefulSet WorkloadKind = "StatefulSet"
	WorkloadDaemonSet   WorkloadKind = "DaemonSet"
)

// RolloutRestart names a workload of the same namespace.
type RolloutRestart struct {
	// kind of the workload: Deployment, StatefulSet or DaemonSet.
	// +required
	Kind WorkloadKind `json:"kind"`

	// name of the workload.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	Name string `json:"name"`
}

// RolloutRestartStatus is the state of a workload of spec.rolloutRestart.
type RolloutRestartStatus struct {
	// kind of the workload.
	// +required
	Kind WorkloadKind `json:"kind"`

	// name of the workload.
	// +required
	Name string `json:"name"`

	// dataRevision is a random ID of the data that the workload's pods started with. It changes with every write of the data, whatever it holds.
	// +optional
	DataRevision string `json:"dataRevision,omitempty"`

	// pending reports whether the data has changed since and the workload has yet to be restarted.
	// +optional
	Pending bool `json:"pending,omitempty"`

	// lastRestartTime is when the workload was last restarted for this object. Empty: not yet.
	// +optional
	LastRestartTime *metav1.Time `json:"lastRestartTime,omitempty"`

	// reason is why the workload was not restarted: RolloutRestartDisabled, RolloutRestartNotAllowed, RolloutRestartForbidden,
	// RolloutRestartFailed or WorkloadNotFound. Empty: nothing is wrong.
	// +optional
	Reason string `json:"reason,omitempty"`

	// message says what to do about it.
	// +optional
	Message string `json:"message,omitempty"`
}

// PodsStatus says how many pods were told of the last write of the target Secret.
type PodsStatus struct {
	// mounting is how many running pods mounted the Secret as a volume.
	// +optional
	Mounting int32 `json:"mounting"`

	// refreshed is how many of them were told.
	// +optional
	Refreshed int32 `json:"refreshed"`

	// reason is why not all of them were told: PodRefreshDisabled, PodRefreshForbidden or PodRefreshFailed. Empty: nothing is wrong.
	// +optional
	Reason string `json:"reason,omitempty"`

	// message says what to do about it.
	// +optional
	Message string `json:"message,omitempty"`
}

// Issuance counts the tokens issued in one day.
type Issuance struct {
	// day in UTC, for example 2026-11-21.
	// +required
	Day string `json:"day"`

	// count of the tokens that were issued on that day.
	// +required
	Count int32 `json:"count"`
}

// Attempt is what a failed attempt was made with: when one of these changes, the next attempt is made at once.
type Attempt struct {
	// generation of this object.
	// +optional
	Generation int64 `json:"generation,omitempty"`

	// asked is a fingerprint of what spec.provider and spec.clientSecretRef ask for.
	// +optional
	Asked string `json:"asked,omitempty"`

	// clientSecretVersion is the UID and resourceVersion of the client Secret. Empty: there was none.
	// +optional
	ClientSecretVersion string `json:"clientSecretVersion,omitempty"`

	// clock says on which clock the times in status are.
	// +optional
	Clock *ClockReading `json:"clock,omitempty"`

	// time is when the endpoint last failed to give a token. Empty: nothing was sent.
	// +optional
	Time *metav1.Time `json:"time,omitempty"`

	// rejected reports whether it refused the credentials or the request, so that it is left alone for longer.
	// +optional
	Rejected bool `json:"rejected,omitempty"`

	// tokenRejected reports whether the attempt was made because the API had answered 401 to the current token.
	// +optional
	TokenRejected bool `json:"tokenRejected,omitempty"`

	// superseded reports whether something else has been in the way since, so that the attempt's backoff no longer applies.
	// +optional
	Superseded bool `json:"superseded,omitempty"`
}

// ClockReading is the state of the operator's local clock when times were written, so that another process can convert them to its own.
type ClockReading struct {
	// process is a random name of the process that wrote them.
	// +optional
	Process string `json:"process,omitempty"`

	// aheadSeconds is by how much its local clock had been set forward since it started.
	// +optional
	AheadSeconds int64 `json:"aheadSeconds,omitempty"`

	// serverSeconds is the API server's clock minus that local clock.
	// +optional
	ServerSeconds int64 `json:"serverSeconds,omitempty"`
}

// Contest is a conflict over the target Secret: another writer keeps undoing what the operator writes.
type Contest struct {
	// repairs is how many writes in a row were undone; the wait doubles with each.
	// +required
	Repairs int32 `json:"repairs"`

	// until is when the target is repaired again or, if it is still unchanged then, when the contest is over.
	// +required
	Until metav1.Time `json:"until"`
}

// IssuanceMode is what the operator knows about how the endpoint issues tokens.
type IssuanceMode string

// Issuance modes.
const (
	// IssuanceModeFresh says that every exchange gives a new token, and old ones stay valid.
	IssuanceModeFresh IssuanceMode = "Fresh"
	// IssuanceModeSameUntilExpiry says that the endpoint returns the current token again until it expires.
	IssuanceModeSameUntilExpiry IssuanceMode = "SameUntilExpiry"
	// IssuanceModeOneActive says that a new token invalidates the old ones, as spec.refresh.issuance declares.
	IssuanceModeOneActive IssuanceMode = "OneActive"
)

// CDPCredentialStatus is what the operator reports, and what it needs after a restart.
type CDPCredentialStatus struct {
	// observedGeneration is the generation of the spec that this status is about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions are Ready, Refreshed, Verified, and Reconciling and Stalled while they are True.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// reason is the one to look at first: Suspended while suspended, otherwise that of Verified while it is False, otherwise that of Refreshed.
	// +optional
	Reason string `json:"reason,omitempty"`

	// provider is the name of the provider that is used.
	// +optional
	Provider string `json:"provider,omitempty"`

	// tokenExpirationTime is when the token in the target Secret expires. Empty for basic and while there is no token.
	// +optional
	TokenExpirationTime *metav1.Time `json:"tokenExpirationTime,omitempty"`

	// lastRefreshTime is when the last token was issued.
	// +optional
	LastRefreshTime *metav1.Time `json:"lastRefreshTime,omitempty"`

	// nextRefreshTime is when the next attempt is due: a renewal, or a retry after a failure. Empty while only a change can help.
	// +optional
	NextRefreshTime *metav1.Time `json:"nextRefreshTime,omitempty"`

	// targetName is the Secret that holds the token.
	// +optional
	TargetName string `json:"targetName,omitempty"`

	// targetVersion is the UID and resourceVersion of the target Secret as the operator last wrote it or found it right.
	// +optional
	TargetVersion string `json:"targetVersion,omitempty"`

	// grantedScopes are the scopes that the endpoint said it granted. Empty: it named none, so the requested ones were granted.
	// +optional
	// +listType=atomic
	GrantedScopes []string `json:"grantedScopes,omitempty"`

	// failures is the number of consecutive failures of the same kind.
	// +optional
	Failures int32 `json:"failures,omitempty"`

	// lastAttempt is what the failed attempt was made with. Empty after a success.
	// +optional
	LastAttempt *Attempt `json:"lastAttempt,omitempty"`

	// earlyAttempts are the times of the last attempts that, because of a change, came less than 10 s (1 min after a rejection) after a failed one.
	// +optional
	// +listType=atomic
	EarlyAttempts []metav1.Time `json:"earlyAttempts,omitempty"`

	// contest is present while another writer keeps undoing what the operator writes to the target Secret.
	// +optional
	Contest *Contest `json:"contest,omitempty"`

	// writeRefusals is how often in a row the API server refused a write of the target Secret.
	// +optional
	WriteRefusals int32 `json:"writeRefusals,omitempty"`

	// lastHandledRefreshRequest is the last value of the annotation cdpcredentials.io/refresh-requested-at that was acted upon.
	// +optional
	LastHandledRefreshRequest string `json:"lastHandledRefreshRequest,omitempty"`

	// refreshPending reports whether a requested refresh has failed so far and will be retried.
	// +optional
	RefreshPending bool `json:"refreshPending,omitempty"`

	// issuance counts the tokens issued today.
	// +optional
	Issuance *Issuance `json:"issuance,omitempty"`

	// issuanceMode is how the endpoint issues tokens: Fresh (every exchange gives a new one and old ones stay valid), SameUntilExpiry (the current token
	// is returned until it expires) or OneActive (a new token invalidates the old ones). Empty for basic and before the first token.
	// +optional
	IssuanceMode IssuanceMode `json:"issuanceMode,omitempty"`

	// repeatedUntil is when the current token expires, if the endpoint returned it again when it was due for renewal: no other is requested before.
	// +optional
	RepeatedUntil *metav1.Time `json:"repeatedUntil,omitempty"`

	// rolloutRestart is the state of the workloads of spec.rolloutRestart.
	// +optional
	// +listType=map
	// +listMapKey=kind
	// +listMapKey=name
	RolloutRestart []RolloutRestartStatus `json:"rolloutRestart,omitempty"`

	// pods are those that mount the target Secret, with spec.target.refreshPods: how many there were at the last write of the data, and how many of
	// them were told of it.
	// +optional
	Pods *PodsStatus `json:"pods,omitempty"`
}

// CDPCredential keeps a valid bearer token in a Secret, by exchanging the credentials of another Secret.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=cdpcred,categories=cdp
// +kubebuilder:metadata:annotations="argocd.argoproj.io/sync-options=Prune=false,Delete=false"
// +kubebuilder:metadata:annotations="kustomize.toolkit.fluxcd.io/prune=disabled"
// +kubebuilder:selectablefield:JSONPath=`.spec.clientSecretRef.name`
// +kubebuilder:selectablefield:JSONPath=`.spec.target.name`
// +kubebuilder:selectablefield:JSONPath=`.status.provider`
// +kubebuilder:printcolumn:name="Provider",type=string,JSONPath=`.status.provider`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.reason`
// +kubebuilder:printcolumn:name="Expires",type=string,JSONPath=`.status.tokenExpirationTime`
// +kubebuilder:printcolumn:name="Secret",type=string,JSONPath=`.status.targetName`
// +kubebuilder:printcolumn:name="Next refresh",type=string,priority=1,JSONPath=`.status.nextRefreshTime`
// +kubebuilder:printcolumn:name="Last refresh",type=string,priority=1,JSONPath=`.status.lastRefreshTime`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Refreshed")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type CDPCredential struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is what you want.
	// +required
	Spec CDPCredentialSpec `json:"spec"`

	// status is what the operator reports. Only the operator writes it.
	// +optional
	// +kubebuilder:default:={"observedGeneration":-1}
	Status CDPCredentialStatus `json:"status,omitzero"`
}

// CDPCredentialList is a list of CDPCredentials.
// +kubebuilder:object:root=true
type CDPCredentialList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []CDPCredential `json:"items"`
}
