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

// ReasonOf is failureOf's reason, where there is no object to fail.
func ReasonOf(err error) string {
	if f := FailureOf(&State{Object: &v1alpha1.CDPCredential{}}, err, 0); f != nil {
		return f.Reason
	}
	return v1alpha1.ReasonEndpointUnavailable
}

func targetNotOwned(s *State) *Failure {
	name := s.Target.Name
	line := annotate(s.Object.Namespace, name, v1alpha1.CredentialAnnotation, s.Object.Name)
	if owner := s.Target.Owner(); owner != "" {
		other := "another CDPCredential"
		if isName(owner) { // else it is any text, and this is for status
			other = "the CDPCredential " + owner
		}
		return stalled(v1alpha1.ReasonTargetNotOwned, fmt.Sprintf(
			"Secret %s is the target of %s: choose another spec.target.name, or hand the Secret over (%s) with: %s",
			name, other, onDeletion(&s.Object.Spec.Target), line))
	}
	return stalled(v1alpha1.ReasonTargetNotOwned, fmt.Sprintf(
		"Secret %s exists and was not made by this object: choose another spec.target.name, delete the Secret, or hand it over (%s) with: %s",
		name, onDeletion(&s.Object.Spec.Target), line))
}

// onDeletion says what becomes of a Secret that is handed over, once its object is deleted.
func onDeletion(target *v1alpha1.Target) string {
	if Retains(target) {
		return "it stays when this object is deleted, as spec.target.deletionPolicy says"
	}
	return "deleting this object then deletes the Secret, unless it holds keys of others: then it stays, and only the keys of this object are taken out"
}

func budgetFailure(s *State) *Failure {
	f := stalled(v1alpha1.ReasonBudgetSpent, fmt.Sprintf(
		"the %d tokens of spec.refresh.maxPerDay were issued today: the next one is issued on the next day (UTC), or when maxPerDay is raised",
		*s.Object.Spec.Refresh.MaxPerDay))
	f.RetryAt = s.Now.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
	return f
}

// FailureOf turns what stopped an attempt into what is reported. It gives nil for an error that is not about the exchange.
func FailureOf(s *State, err error, chance float64) *Failure {
	if missing, ok := errors.AsType[*missingKeyError](err); ok {
		return &Failure{Reason: v1alpha1.ReasonSecretKeyMissing, Message: missing.Error(), Stalled: true, Attempted: true}
	}
	if bad, ok := errors.AsType[*egress.CABundleError](err); ok {
		return stalled(v1alpha1.ReasonInvalidSpec, "spec.tls.caBundle: "+bad.Error())
	}
	if refused, ok := errors.AsType[*egress.RefusedError](err); ok {
		f := &Failure{Reason: v1alpha1.ReasonEndpointRefused, Stalled: true, Attempted: true, Sent: true}
		f.Message = hostOf(s.Desired.Endpoint) + ": " + refused.Error()
		f.RetryAt = s.Now.Add(slowRetry(s, f.Reason))
		return f
	}
	e, ok := errors.AsType[*exchange.Error](err)
	if !ok {
		return nil
	}
	switch e.Kind {
	case exchange.InvalidKey, exchange.InvalidRequest, exchange.Unsupported:
		return notSent(s, e)
	}
	f := &Failure{Message: e.Error(), Correlation: e.CorrelationID, Attempted: true, Sent: true}
	var wait time.Duration
	switch e.Kind {
	case exchange.Rejected:
		f.Reason, f.Stalled = v1alpha1.ReasonCredentialsRejected, true
		f.Message = e.Error() + ": " + s.rejectedAdvice(e)
		wait = retryAfter(s, rejectedRetry(s), e)
	case exchange.Throttled:
		f.Reason = v1alpha1.ReasonThrottled
		f.Message = e.Error() + ": the endpoint is asked again when it allows it; ask the vendor for a higher limit if this lasts"
		wait = throttledRetry(s, e, chance)
	case exchange.Malformed:
		f.Reason = v1alpha1.ReasonMalformedResponse
		f.Message = e.Error() + ": " + s.malformedAdvice(e)
		wait = retryAfter(s, quickRetry(s, f.Reason, chance), e)
	default:
		f.Reason = v1alpha1.ReasonEndpointUnavailable
		f.Message = fmt.Sprintf("%s: %s; %s", hostOf(s.Desired.Endpoint), e.Error(), s.unavailableAdvice(e))
		wait = retryAfter(s, quickRetry(s, f.Reason, chance), e)
	}
	f.RetryAt = s.Now.Add(max(wait, minAttemptInterval))
	return f
}

// notSent is a failure that the user has to mend before anything can be sent.
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

// rejectedAdvice says what to do about a 400, 401 or 403. It depends on the spec and never on the Secret's values: who sees it may not be
// somebody who may read them.
func (s *State) rejectedAdvice(e *exchange.Error) string {
	advice := fmt.Sprintf("check the values of Secret %s, what spec.provider.%s asks for, and the client at the vendor", s.Object.Spec.ClientSecretRef.Name, s.Desired.Flow.Provider)
	if more := s.Desired.Flow.Advice.Rejected; more != "" {
		advice += "; " + more
	}
	if e.HTML {
		advice += "; the answer was a web page: check " + s.Desired.Flow.AddressField
	}
	return advice
}

// unavailableAdvice says what to do about an endpoint that does not answer as one: what is not found or redirects is likely not where it is looked for.
func (s *State) unavailableAdvice(e *exchange.Error) string {
	astray := e.Status == http.StatusNotFound || e.Status == http.StatusMethodNotAllowed || e.Status >= 300 && e.Status < 400 || e.HTML && e.Status < 500
	if astray {
		return "check " + s.Desired.Flow.AddressField + "; it is tried again by itself"
	}
	return "it is tried again by itself"
}

// malformedAdvice says what to do about an answer without a usable token.
func (s *State) malformedAdvice(e *exchange.Error) string {
	advice := s.Desired.Flow.Advice
	switch {
	case errors.Is(e, token.ErrNoExpiry) && advice.NoExpiry != "":
		return advice.NoExpiry
	case errors.Is(e, token.ErrAbsurd) && advice.AbsurdExpiry != "":
		return advice.AbsurdExpiry
	case errors.Is(e, token.ErrNoExpiry), errors.Is(e, token.ErrAbsurd), errors.Is(e, token.ErrExpired):
		return "ask the vendor; it is tried again by itself"
	}
	return "check that " + s.Desired.Flow.AddressField + " is the vendor's token endpoint, and what else spec.provider." + s.Desired.Flow.Provider + " says of it"
}
