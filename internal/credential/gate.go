// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"crypto/tls"
	"errors"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// isRefusal reports whether the endpoint refused what was sent, rather than being throttled or unavailable.
func isRefusal(err error) bool {
	e, ok := errors.AsType[*exchange.Error](err)
	return ok && (e.Kind == exchange.Rejected || e.Kind == exchange.Malformed)
}

// NeverSent reports whether an exchange ended before anything was sent, for example because of a private key that is invalid or still being opened.
func NeverSent(err error) bool {
	if _, ok := errors.AsType[*exchange.KeyWaitError](err); ok {
		return true
	}
	e, ok := errors.AsType[*exchange.Error](err)
	return ok && (e.Kind == exchange.InvalidKey || e.Kind == exchange.InvalidRequest || e.Kind == exchange.Unsupported)
}

// GateResult tells the gate what an exchange has shown of its endpoint and its client.
func GateResult(err error, ownCA bool) egress.Result {
	if err == nil {
		return egress.Result{Kind: egress.Served}
	}
	e, ok := errors.AsType[*exchange.Error](err)
	if !ok || NeverSent(err) || showsNothing(err, ownCA) {
		return egress.Result{Kind: egress.Cancelled}
	}
	return egress.Result{Kind: gateKind(e), RetryAfter: e.RetryAfter, HasRetryAfter: e.HasRetryAfter}
}

// showsNothing reports whether a failed exchange says nothing about the endpoint: our own policy forbade the connection, or the certificate is not from
// the tenant's own CA.
func showsNothing(err error, ownCA bool) bool {
	_, refused := errors.AsType[*egress.RefusedError](err)
	_, badCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	return refused || badCertificate && ownCA
}

func gateKind(e *exchange.Error) egress.ResultKind {
	switch {
	case e.Kind == exchange.Throttled:
		return egress.Throttled
	case e.Kind == exchange.Unavailable && (e.Status == 0 || e.Status >= 500):
		return egress.Unavailable
	case e.Kind == exchange.Rejected:
		return egress.Refused
	}
	return egress.Answered // a refusal of any kind shows that the endpoint is alive
}

// GateRequest describes an exchange to the gate. Only the renewal of a token that still lives is planned: missing tokens, changes and requests of users
// may come for all objects at once.
func GateRequest(s *State, why Cause) egress.Request {
	request := egress.Request{
		Host: s.Desired.Endpoint.String(), Namespace: s.Object.Namespace, Client: s.Object.Spec.ClientSecretRef.Name, Object: ObjectName(s.Object),
		Requested: why == CauseRequested || isRefreshRequested(s), Changed: changedSinceThrottled(s),
	}
	request.Proven, request.Failures = clientStanding(s)
	if !s.Current.HasToken() || why == CauseReplaced {
		return request
	}
	request.Expires = s.Current.Persisted.ExpiresAt
	if why == CauseRenewal && (s.Current.HoldsToken(s.Now) || waitsForExpiry(s)) {
		request.Planned, request.Due = true, renewalTime(s)
	}
	return request
}

// changedSinceThrottled reports whether the last attempt was throttled and its Retry-After is not over. That there is another attempt nevertheless is
// because the request would be a different one, unless a user requested it.
func changedSinceThrottled(s *State) bool {
	status := &s.Object.Status
	waits := status.NextRefreshTime != nil && s.Now.Before(status.NextRefreshTime.Time)
	return waits && status.Failures > 0 && isThrottled(s) && !isRefreshRequested(s)
}

// clientStanding returns what status knows of the client at its endpoint: whether it was served, and not refused since, and how often in a row it was
// throttled or got no answer.
func clientStanding(s *State) (served bool, failures int) {
	status := &s.Object.Status
	switch refreshedReason(status) {
	case v1alpha1.ReasonThrottled, v1alpha1.ReasonEndpointUnavailable:
		failures = int(status.Failures)
	case v1alpha1.ReasonCredentialsRejected, v1alpha1.ReasonMalformedResponse, v1alpha1.ReasonEndpointRefused:
		return false, 0
	}
	return status.LastRefreshTime != nil && s.Difference == Same, failures
}

// ObjectName is how the gate and the audit log name an object: NAMESPACE/NAME.
func ObjectName(obj *v1alpha1.CDPCredential) string { return obj.Namespace + "/" + obj.Name }
