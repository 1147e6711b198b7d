// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Condition types.
const (
	// ConditionReady reports whether the target Secret holds an unexpired token: consumers may use it.
	ConditionReady = "Ready"
	// ConditionRefreshed reports whether the last attempt to get a token worked. If not, the current token may still be valid.
	ConditionRefreshed = "Refreshed"
	// ConditionVerified reports whether the API itself accepts the token. Present only with spec.verify.
	ConditionVerified = "Verified"
	// ConditionReconciling is present, and True, while the operator will retry (kstatus).
	ConditionReconciling = "Reconciling"
	// ConditionStalled is present, and True, while someone has to change something first (kstatus).
	ConditionStalled = "Stalled"
)

// Reasons of Ready.
const (
	// ReasonTokenValid says that the target Secret holds an unexpired token.
	ReasonTokenValid = "TokenValid"
	// ReasonTokenExpired says that the token in the target Secret has expired.
	ReasonTokenExpired = "TokenExpired"
	// ReasonNoToken says that the target Secret is missing, or holds no token that the operator wrote.
	ReasonNoToken = "NoToken"
	// ReasonSuspended says that spec.suspend is true. The status of Ready does not depend on that.
	ReasonSuspended = "Suspended"
)

// ReasonTokenIssued is the reason of Refreshed while it is True.
const ReasonTokenIssued = "TokenIssued"

// Reasons of a failure: on Refreshed=False, and on Stalled or Reconciling.
const (
	// ReasonSecretNotFound says that the client Secret does not exist.
	ReasonSecretNotFound = "SecretNotFound"
	// ReasonSecretKeyMissing says that the client Secret lacks a key, or that its value is empty. Also on Verified, of a CA.
	ReasonSecretKeyMissing = "SecretKeyMissing"
	// ReasonSecretKeyInvalid says that the private key or its passphrase, or the CA that the Secret brings, cannot be used. Also on Verified, of a CA.
	ReasonSecretKeyInvalid = "SecretKeyInvalid"
	// ReasonInvalidSpec says that the object asks for something impossible that the schema could not refuse.
	ReasonInvalidSpec = "InvalidSpec"
	// ReasonHostNotAllowed says that the client Secret does not consent to being sent to the host. Also on Verified.
	ReasonHostNotAllowed = "HostNotAllowed"
	// ReasonCANotAllowed says that the client Secret does not consent to the CA of spec.tls.caBundle, or that the host is a vendor's own, for
	// which no private CA is accepted.
	ReasonCANotAllowed = "CANotAllowed"
	// ReasonSecretNotAllowed says that the Secret may not be used as this client Secret: it is managed by the operator, or basic would copy it
	// without its consent.
	ReasonSecretNotAllowed = "SecretNotAllowed"
	// ReasonTargetNotOwned says that the target Secret exists and belongs to someone else.
	ReasonTargetNotOwned = "TargetNotOwned"
	// ReasonTargetContested says that another writer keeps undoing what the operator writes to the target Secret.
	ReasonTargetContested = "TargetContested"
	// ReasonAPIUnavailable says that the API server has refused reads of the client Secret or of the target for more than a minute.
	ReasonAPIUnavailable = "APIUnavailable"
	// ReasonTargetUnusable says that the target Secret was handed over but cannot be written: immutable, of another type, or
	// controlled by another object.
	ReasonTargetUnusable = "TargetUnusable"
	// ReasonInvalidTemplate says that a template of spec.target.data cannot be rendered.
	ReasonInvalidTemplate = "InvalidTemplate"
	// ReasonCredentialsRejected says that the endpoint refused the credentials or the request: 400, 401 or 403.
	ReasonCredentialsRejected = "CredentialsRejected"
	// ReasonBudgetSpent says that spec.refresh.maxPerDay tokens have been issued today (UTC).
	ReasonBudgetSpent = "BudgetSpent"
	// ReasonThrottled says that the endpoint answered 429, or that the operator's own limits have delayed a renewal for more than a minute.
	ReasonThrottled = "Throttled"
	// ReasonEndpointUnavailable says that the endpoint could not be reached or failed. Also on Verified.
	ReasonEndpointUnavailable = "EndpointUnavailable"
	// ReasonEndpointRefused says that the endpoint's address is one to which the operator does not connect.
	ReasonEndpointRefused = "EndpointRefused"
	// ReasonMalformedResponse says that the endpoint's answer held no usable token: none, expired, absurd or unsafe in a header.
	ReasonMalformedResponse = "MalformedResponse"
)

// Reasons of Verified, in addition to HostNotAllowed, EndpointUnavailable, SecretKeyMissing and SecretKeyInvalid.
const (
	// ReasonVerified says that the API accepted the token.
	ReasonVerified = "Verified"
	// ReasonTokenRejected says that the API answered 401 to a new token.
	ReasonTokenRejected = "TokenRejected"
	// ReasonInsufficientScope says that the API answered 403: the token is valid, but not for this request.
	ReasonInsufficientScope = "InsufficientScope"
)

// Reasons of events that no condition has.
const (
	// EventTokenRefreshed is the Normal event of a first token, a recovery, and every exchange that was not a routine renewal.
	EventTokenRefreshed = "TokenRefreshed"
	// EventClockSkew is the Warning event when the endpoint's clock and the operator's differ by more than 30 s.
	EventClockSkew = "ClockSkew"
	// EventDeprecated is the Warning event for a kind of credential that its vendor has discontinued.
	EventDeprecated = "Deprecated"
	// EventScopesReduced is the Warning event when fewer scopes were granted than requested.
	EventScopesReduced = "ScopesReduced"
	// EventBudgetLow is the Warning event when four fifths of the day's budget are spent.
	EventBudgetLow = "BudgetLow"
	// EventStaleTarget is the Warning event when the API server does not let the operator remove the target of an earlier spec.target.name.
	EventStaleTarget = "StaleTarget"
	// EventWorkloadRestarted is the Normal event of each restart of a workload of spec.rolloutRestart.
	EventWorkloadRestarted = "WorkloadRestarted"
	// EventRolloutRestartDisabled is the Warning event when spec.rolloutRestart is set and the administrator has not turned restarts on. Like
	// the following ones it is also a reason in status.rolloutRestart.
	EventRolloutRestartDisabled = "RolloutRestartDisabled"
	// EventRolloutRestartNotAllowed is the Warning event when a workload lacks the annotation AllowRestartAnnotation with the object's name.
	EventRolloutRestartNotAllowed = "RolloutRestartNotAllowed"
	// EventRolloutRestartForbidden is the Warning event when the API server does not let the operator restart a workload.
	EventRolloutRestartForbidden = "RolloutRestartForbidden"
	// EventRolloutRestartFailed is the Warning event when a workload could not be restarted for another reason.
	EventRolloutRestartFailed = "RolloutRestartFailed"
	// EventWorkloadNotFound is the Warning event when a workload of spec.rolloutRestart does not exist.
	EventWorkloadNotFound = "WorkloadNotFound"
	// EventPodRefreshDisabled is the Warning event when spec.target.refreshPods is set and the administrator has not turned it on. Like the following
	// ones it is also the reason in status.pods.
	EventPodRefreshDisabled = "PodRefreshDisabled"
	// EventPodRefreshForbidden is the Warning event when the API server does not let the operator list the pods that mount the target, or annotate them.
	EventPodRefreshForbidden = "PodRefreshForbidden"
	// EventPodRefreshFailed is the Warning event when pods could not be told of a new token for another reason.
	EventPodRefreshFailed = "PodRefreshFailed"
)
