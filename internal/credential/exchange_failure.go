// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// ReasonOf returns the reason that an error is reported with, for the log and for metrics.
func ReasonOf(err error) string {
	if f := failureOf(&State{Object: &v1alpha1.CDPCredential{}}, err, 0); f != nil {
		return f.Reason
	}
	return v1alpha1.ReasonEndpointUnavailable
}

// failureOf returns what to report of an error that ended an attempt, and when to retry. Nil: the error is not about the exchange. Jitter is in [0, 1).
func failureOf(s *State, err error, jitter float64) *Failure {
	if missing, ok := errors.AsType[*missingKeyError](err); ok {
		return &Failure{Reason: v1alpha1.ReasonSecretKeyMissing, Message: missing.Error(), Stalled: true, Attempted: true}
	}
	if bad, ok := errors.AsType[*egress.CABundleError](err); ok {
		return stalled(v1alpha1.ReasonInvalidSpec, "spec.tls.caBundle: "+bad.Error())
	}
	if refused, ok := errors.AsType[*egress.RefusedError](err); ok {
		return endpointRefused(s, refused)
	}
	e, ok := errors.AsType[*exchange.Error](err)
	if !ok {
		return nil
	}
	switch e.Kind {
	case exchange.InvalidKey, exchange.InvalidRequest, exchange.Unsupported:
		return notSent(s, e)
	}
	return answered(s, e, jitter)
}

// endpointRefused is the failure for an endpoint that our own egress policy does not connect to.
func endpointRefused(s *State, refused *egress.RefusedError) *Failure {
	return &Failure{
		Reason: v1alpha1.ReasonEndpointRefused, Stalled: true, Attempted: true, Sent: true,
		Message: hostOf(s.Desired.Endpoint) + ": " + refused.Error(),
		RetryAt: s.Now.Add(slowRetry(s, v1alpha1.ReasonEndpointRefused)),
	}
}

// notSent is the failure for a request that the user has to fix before it can be sent.
func notSent(s *State, e *exchange.Error) *Failure {
	f := &Failure{Stalled: true, Attempted: true, Correlation: e.CorrelationID}
	switch e.Kind {
	case exchange.InvalidKey:
		f.Reason = v1alpha1.ReasonSecretKeyInvalid
		f.Message = fmt.Sprintf("Secret %s, key %s: %s", s.Object.Spec.ClientSecretRef.Name, s.Desired.Flow.KeyName(e.Field), e.Detail)
	case exchange.Unsupported:
		f.Reason = v1alpha1.ReasonInvalidSpec
		f.Message = "spec.provider." + s.Desired.Flow.Provider + ": " + e.Error() + ": upgrade the operator, or choose another provider"
	default:
		f.Reason = v1alpha1.ReasonInvalidSpec
		f.Message = "spec.provider." + s.Desired.Flow.Provider + ": " + e.Error()
	}
	return f
}

// answered is the failure for a request that was sent and brought no token.
func answered(s *State, e *exchange.Error, jitter float64) *Failure {
	f := &Failure{Correlation: e.CorrelationID, Attempted: true, Sent: true}
	var delay time.Duration
	switch e.Kind {
	case exchange.Rejected:
		f.Reason, f.Stalled = v1alpha1.ReasonCredentialsRejected, true
		f.Message = e.Error() + ": " + rejectedAdvice(s, e)
		delay = atLeastRetryAfter(s, e, rejectedRetry(s))
	case exchange.Throttled:
		f.Reason = v1alpha1.ReasonThrottled
		f.Message = e.Error() + ": the operator retries when the endpoint allows it; ask the vendor for a higher limit if this lasts"
		delay = throttledRetry(s, e, jitter)
	case exchange.Malformed:
		f.Reason = v1alpha1.ReasonMalformedResponse
		f.Message = e.Error() + ": " + malformedAdvice(s, e)
		delay = atLeastRetryAfter(s, e, quickRetry(s, f.Reason, jitter))
	default:
		f.Reason = v1alpha1.ReasonEndpointUnavailable
		f.Message = fmt.Sprintf("%s: %s; %s", hostOf(s.Desired.Endpoint), e.Error(), unavailableAdvice(s, e))
		delay = atLeastRetryAfter(s, e, quickRetry(s, f.Reason, jitter))
	}
	f.RetryAt = s.Now.Add(max(delay, minAttemptInterval))
	return f
}

// rejectedAdvice says what to do about a 400, 401 or 403. It depends on the spec only, never on the Secret's values: whoever reads status may not be
// allowed to read those.
func rejectedAdvice(s *State, e *exchange.Error) string {
	advice := fmt.Sprintf("check the values of Secret %s, what spec.provider.%s asks for, and the client at the vendor", s.Object.Spec.ClientSecretRef.Name, s.Desired.Flow.Provider)
	if more := s.Desired.Flow.Advice.Rejected; more != "" {
		advice += "; " + more
	}
	if e.HTML {
		advice += "; the answer was a web page: check " + s.Desired.Flow.AddressField
	}
	return advice
}

// unavailableAdvice says what to do about an endpoint that does not behave like one.
func unavailableAdvice(s *State, e *exchange.Error) string {
	notFound := e.Status == http.StatusNotFound || e.Status == http.StatusMethodNotAllowed
	redirects := e.Status >= 300 && e.Status < 400
	webPage := e.HTML && e.Status < 500
	switch {
	case notFound, redirects, webPage:
		return "check " + s.Desired.Flow.AddressField + "; the operator retries"
	case e.Untrusted:
		return untrustedAdvice(s) + "; the operator retries"
	}
	return "the operator retries"
}

// untrustedAdvice says where to put a private CA. It does not depend on whether the client Secret has one: whoever reads status may not be allowed to
// read Secrets.
func untrustedAdvice(s *State) string {
	if builtInHosts.Allows(s.Desired.Endpoint) {
		return "if a proxy of yours inspects TLS, give its CA to the operator with --ca-file"
	}
	return fmt.Sprintf("put a private CA, as PEM, under the key ca.crt of Secret %s, or in spec.tls.caBundle with the annotation %s on that Secret",
		s.Object.Spec.ClientSecretRef.Name, v1alpha1.AllowedCAAnnotation)
}

// malformedAdvice says what to do about an answer without a usable token.
func malformedAdvice(s *State, e *exchange.Error) string {
	advice := s.Desired.Flow.Advice
	switch {
	case errors.Is(e, token.ErrNoExpiry) && advice.NoExpiry != "":
		return advice.NoExpiry
	case errors.Is(e, token.ErrAbsurd) && advice.AbsurdExpiry != "":
		return advice.AbsurdExpiry
	case errors.Is(e, token.ErrNoExpiry), errors.Is(e, token.ErrAbsurd), errors.Is(e, token.ErrExpired):
		return "ask the vendor; the operator retries"
	}
	return "check that " + s.Desired.Flow.AddressField + " is the vendor's token endpoint, and check the rest of spec.provider." + s.Desired.Flow.Provider
}
