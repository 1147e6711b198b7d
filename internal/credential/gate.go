// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"crypto/tls"
	"errors"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// IsRefusal reports whether the endpoint refused what was sent, rather than being throttled or unavailable.
func IsRefusal(err error) bool {
	e, ok := errors.AsType[*exchange.Error](err)
	return ok && (e.Kind == exchange.Rejected || e.Kind == exchange.Malformed)
}

// NeverSent reports whether an exchange ended before anything left: with a private key that waits to be opened, say, or that cannot be used.
func NeverSent(err error) bool {
	if _, ok := errors.AsType[*exchange.KeyWaitError](err); ok {
		return true
	}
	e, ok := errors.AsType[*exchange.Error](err)
	return ok && (e.Kind == exchange.InvalidKey || e.Kind == exchange.InvalidRequest || e.Kind == exchange.Unsupported)
}

// GateResult is what an exchange says about its endpoint and its client: a refusal, too, shows that the endpoint is alive.
// One that we ourselves did not connect to, or that does not have a certificate of the tenant's own CA, has shown nothing.
func GateResult(err error, ownCA bool) egress.Result {
	if err == nil {
		return egress.Result{Kind: egress.Served}
	}
	if _, ok := errors.AsType[*egress.RefusedError](err); ok {
		return egress.Result{Kind: egress.Cancelled}
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok && ownCA {
		return egress.Result{Kind: egress.Cancelled}
	}
	e, ok := errors.AsType[*exchange.Error](err)
	if !ok || NeverSent(err) {
		return egress.Result{Kind: egress.Cancelled}
	}
	result := egress.Result{RetryAfter: e.RetryAfter, HasRetryAfter: e.HasRetryAfter}
	switch {
	case e.Kind == exchange.Throttled:
		result.Kind = egress.Throttled
	case e.Kind == exchange.Unavailable && (e.Status == 0 || e.Status >= 500):
		result.Kind = egress.Unavailable
	case e.Kind == exchange.Rejected:
		result.Kind = egress.Refused
	default:
		result.Kind = egress.Answered
	}
	return result
}

// GateRequest is what an object says to the gate. Only a renewal of a token that still lives is planned: what has no token, and what a change or a
// person asks for, may come for all objects at once.
func GateRequest(s *State, why cause) egress.Request {
	request := egress.Request{
		Host: s.Desired.Endpoint.String(), Namespace: s.Object.Namespace, Client: s.Object.Spec.ClientSecretRef.Name, Object: ObjectName(s.Object),
		Requested: why == CauseRequested || RefreshRequested(s), Changed: changedSinceThrottled(s),
	}
	request.Proven, request.Failures = clientStanding(s)
	if !s.Current.HasToken() || why == causeReplaced {
		return request
	}
	request.Expires = s.Current.Persisted.ExpiresAt
	if why == CauseRenewal && (s.Current.HoldsToken(s.Now) || waitsForExpiry(s)) {
		request.Planned, request.Due = true, RenewalTime(s)
	}
	return request
}

// changedSinceThrottled reports whether the last attempt was throttled and its time has not come: that it is made again nevertheless is, unless it was
// requested, because something else would be sent.
func changedSinceThrottled(s *State) bool {
	status := &s.Object.Status
	waits := status.NextRefreshTime != nil && s.Now.Before(status.NextRefreshTime.Time)
	return waits && status.Failures > 0 && RefreshedReason(status) == v1alpha1.ReasonThrottled && !RefreshRequested(s)
}

// clientStanding is what status knows of the client at its endpoint: whether it was served, and not refused since, and how often in a row it was throttled
// or had no answer.
func clientStanding(s *State) (served bool, failures int) {
	status := &s.Object.Status
	switch RefreshedReason(status) {
	case v1alpha1.ReasonThrottled, v1alpha1.ReasonEndpointUnavailable:
		failures = int(status.Failures)
	case v1alpha1.ReasonCredentialsRejected, v1alpha1.ReasonMalformedResponse, v1alpha1.ReasonEndpointRefused:
		return false, 0
	}
	return status.LastRefreshTime != nil && s.Difference == Same, failures
}

// ObjectName is how the gate knows an object: NAMESPACE/NAME.
func ObjectName(obj *v1alpha1.CDPCredential) string { return obj.Namespace + "/" + obj.Name }
