package controllers

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// A failure is what a pass has to report instead of a token.
type failure struct {
	reason string
	// message says what to do. It has no times and no counters, so that it stays the same from attempt to attempt.
	message string
	// correlation is for the vendor's support. It is shown with the first message of a kind.
	correlation string
	// stalled says that somebody has to change something; else the operator tries again by itself.
	stalled bool
	// attempted says that the attempt was made: it counts, and is not made again before retryAt or a change.
	attempted bool
	// sent says that the endpoint was asked.
	sent bool
	// writeRefused says that the API server refused the write of the target.
	writeRefused bool
	// retryAt is zero where only a change helps.
	retryAt time.Time
}

// untilAChange reports whether an attempt that failed so is not made again before something changes.
func untilAChange(reason string) bool {
	switch reason {
	case v1alpha1.ReasonSecretKeyMissing, v1alpha1.ReasonSecretKeyInvalid, v1alpha1.ReasonInvalidSpec, v1alpha1.ReasonInvalidTemplate:
		return true
	}
	return false
}

func stalled(reason, message string) *failure {
	return &failure{reason: reason, message: message, stalled: true}
}

func targetNotOwned(v *view) *failure {
	name := v.target.name
	line := annotate(v.obj.Namespace, name, v1alpha1.CredentialAnnotation, v.obj.Name)
	if owner := v.target.owner(); owner != "" {
		other := "another CDPCredential"
		if isName(owner) { // else it is any text, and this is for status
			other = "the CDPCredential " + owner
		}
		return stalled(v1alpha1.ReasonTargetNotOwned, fmt.Sprintf(
			"Secret %s is the target of %s: choose another spec.target.name, or hand the Secret over (%s) with: %s",
			name, other, onDeletion(&v.obj.Spec.Target), line))
	}
	return stalled(v1alpha1.ReasonTargetNotOwned, fmt.Sprintf(
		"Secret %s exists and was not made by this object: choose another spec.target.name, delete the Secret, or hand it over (%s) with: %s",
		name, onDeletion(&v.obj.Spec.Target), line))
}

// onDeletion says what becomes of a Secret that is handed over, once its object is deleted.
func onDeletion(target *v1alpha1.Target) string {
	if retains(target) {
		return "it stays when this object is deleted, as spec.target.deletionPolicy says"
	}
	return "deleting this object then deletes the Secret, unless it holds keys of others: then it stays, and only the keys of this object are taken out"
}

func annotate(namespace, secret, key, value string) string {
	return fmt.Sprintf("kubectl annotate secret -n %s %s --overwrite '%s=%s'", namespace, secret, key, value)
}

// hostOf leaves out the port of https: an entry without a port allows any.
func hostOf(endpoint egress.Endpoint) string {
	return strings.TrimSuffix(endpoint.String(), ":443")
}

func budgetFailure(v *view) *failure {
	f := stalled(v1alpha1.ReasonBudgetSpent, fmt.Sprintf(
		"the %d tokens of spec.refresh.maxPerDay were issued today: the next one is issued on the next day (UTC), or when maxPerDay is raised",
		*v.obj.Spec.Refresh.MaxPerDay))
	f.retryAt = v.now.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
	return f
}

// failureOf turns what stopped an attempt into what is reported. It gives nil for an error that is not about the exchange.
func failureOf(v *view, err error, chance float64) *failure {
	if missing, ok := errors.AsType[*missingKeyError](err); ok {
		return &failure{reason: v1alpha1.ReasonSecretKeyMissing, message: missing.Error(), stalled: true, attempted: true}
	}
	if bad, ok := errors.AsType[*egress.CABundleError](err); ok {
		return stalled(v1alpha1.ReasonInvalidSpec, "spec.tls.caBundle: "+bad.Error())
	}
	if refused, ok := errors.AsType[*egress.RefusedError](err); ok {
		f := &failure{reason: v1alpha1.ReasonEndpointRefused, stalled: true, attempted: true, sent: true}
		f.message = hostOf(v.intent.endpoint) + ": " + refused.Error()
		f.retryAt = v.now.Add(slowRetry(v, f.reason))
		return f
	}
	e, ok := errors.AsType[*exchange.Error](err)
	if !ok {
		return nil
	}
	switch e.Kind {
	case exchange.InvalidKey, exchange.InvalidRequest, exchange.Unsupported:
		return notSent(v, e)
	}
	f := &failure{message: e.Error(), correlation: e.CorrelationID, attempted: true, sent: true}
	var wait time.Duration
	switch e.Kind {
	case exchange.Rejected:
		f.reason, f.stalled = v1alpha1.ReasonCredentialsRejected, true
		f.message = e.Error() + ": " + v.rejectedAdvice(e)
		wait = retryAfter(v, rejectedRetry(v), e)
	case exchange.Throttled:
		f.reason = v1alpha1.ReasonThrottled
		f.message = e.Error() + ": the endpoint is asked again when it allows it; ask the vendor for a higher limit if this lasts"
		wait = throttledRetry(v, e, chance)
	case exchange.Malformed:
		f.reason = v1alpha1.ReasonMalformedResponse
		f.message = e.Error() + ": " + v.malformedAdvice(e)
		wait = retryAfter(v, quickRetry(v, f.reason, chance), e)
	default:
		f.reason = v1alpha1.ReasonEndpointUnavailable
		f.message = fmt.Sprintf("%s: %s; %s", hostOf(v.intent.endpoint), e.Error(), v.unavailableAdvice(e))
		wait = retryAfter(v, quickRetry(v, f.reason, chance), e)
	}
	f.retryAt = v.now.Add(max(wait, minAttemptInterval))
	return f
}

// notSent is a failure that the user has to mend before anything can be sent.
func notSent(v *view, e *exchange.Error) *failure {
	f := &failure{stalled: true, attempted: true, correlation: e.CorrelationID}
	switch e.Kind {
	case exchange.InvalidKey:
		f.reason = v1alpha1.ReasonSecretKeyInvalid
		f.message = fmt.Sprintf("Secret %s, key %s: %s", v.obj.Spec.ClientSecretRef.Name, v.intent.flow.KeyName(e.Field), e.Detail)
	case exchange.Unsupported:
		f.reason = v1alpha1.ReasonInvalidSpec
		f.message = "spec.provider." + v.intent.flow.Provider + ": " + e.Error() + ": upgrade the operator, or choose another provider"
	default:
		f.reason = v1alpha1.ReasonInvalidSpec
		f.message = "spec.provider." + v.intent.flow.Provider + ": " + e.Error()
	}
	return f
}

// rejectedAdvice says what to do about a 400, 401 or 403. It depends on the spec and never on the Secret's values: who sees it may not be
// somebody who may read them.
func (v *view) rejectedAdvice(e *exchange.Error) string {
	advice := fmt.Sprintf("check the values of Secret %s, what spec.provider.%s asks for, and the client at the vendor", v.obj.Spec.ClientSecretRef.Name, v.intent.flow.Provider)
	if more := v.intent.flow.Advice.Rejected; more != "" {
		advice += "; " + more
	}
	if e.HTML {
		advice += "; the answer was a web page: check " + v.intent.flow.AddressField
	}
	return advice
}

// unavailableAdvice says what to do about an endpoint that does not answer as one: what is not found or redirects is likely not where it is looked for.
func (v *view) unavailableAdvice(e *exchange.Error) string {
	astray := e.Status == http.StatusNotFound || e.Status == http.StatusMethodNotAllowed || e.Status >= 300 && e.Status < 400 || e.HTML && e.Status < 500
	if astray {
		return "check " + v.intent.flow.AddressField + "; it is tried again by itself"
	}
	return "it is tried again by itself"
}

// malformedAdvice says what to do about an answer without a usable token.
func (v *view) malformedAdvice(e *exchange.Error) string {
	advice := v.intent.flow.Advice
	switch {
	case errors.Is(e, token.ErrNoExpiry) && advice.NoExpiry != "":
		return advice.NoExpiry
	case errors.Is(e, token.ErrAbsurd) && advice.AbsurdExpiry != "":
		return advice.AbsurdExpiry
	case errors.Is(e, token.ErrNoExpiry), errors.Is(e, token.ErrAbsurd), errors.Is(e, token.ErrExpired):
		return "ask the vendor; it is tried again by itself"
	}
	return "check that " + v.intent.flow.AddressField + " is the vendor's token endpoint, and what else spec.provider." + v.intent.flow.Provider + " says of it"
}

// shorten cuts text that others wrote.
func shorten(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
