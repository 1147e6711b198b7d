// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// reportUnavailable says which request the API server refuses, unless status reports a failed attempt that is still waited out.
func reportUnavailable(s *State, e *RequestError, status *v1alpha1.CDPCredentialStatus) {
	if failureStillWaitedOut(s, status) {
		return
	}
	message := unavailableMessage(e, meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionRefreshed))
	status.ObservedGeneration = s.Object.Generation
	status.NextRefreshTime = nil
	set(s, status, v1alpha1.ConditionRefreshed, metav1.ConditionFalse, v1alpha1.ReasonAPIUnavailable, message)
	set(s, status, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonAPIUnavailable, message)
	remove(status, v1alpha1.ConditionStalled)
	status.Reason = summary(s.Object.Spec.Suspend, status)
}

func failureStillWaitedOut(s *State, status *v1alpha1.CDPCredentialStatus) bool {
	last, next := status.LastAttempt, status.NextRefreshTime
	isCurrent := last != nil && !last.Superseded && last.Generation == s.Object.Generation
	if !isCurrent {
		return false
	}
	if next == nil {
		return retriedOnlyAfterChange(refreshedReason(status))
	}
	return s.Now.Before(next.Time)
}

// unavailableMessage keeps the message for the same request, as a busy API server gives several reasons.
func unavailableMessage(e *RequestError, before *metav1.Condition) string {
	refusal, advice := fmt.Sprintf("the API server refuses the operator's request to %s %s %s ", e.Verb, e.Resource, e.Name), adviceFor(e.Err)
	if before != nil && before.Reason == v1alpha1.ReasonAPIUnavailable {
		sameRequest := strings.HasPrefix(before.Message, refusal) && strings.HasSuffix(before.Message, advice)
		if sameRequest {
			return before.Message
		}
	}
	return fmt.Sprintf("%s(%s)%s", refusal, cmp.Or(string(apierrors.ReasonForError(e.Err)), "no answer"), advice)
}

func adviceFor(err error) string {
	if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) {
		return ": ask whoever runs the cluster to restore the operator's role (config/rbac)"
	}
	return ": ask whoever runs the cluster about the API server's health, and its priority and fairness; the operator retries"
}

// reportExpiry turns Ready False if the token in status has expired. Otherwise it returns when that will be; zero: never.
func reportExpiry(s *State, status *v1alpha1.CDPCredentialStatus) time.Time {
	if status.TokenExpirationTime == nil || !meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady) {
		return time.Time{}
	}
	expiry := status.TokenExpirationTime.Time
	if current := s.Current.Persisted; current != nil && status.TokenExpirationTime.Equal(wholeSecond(current.ExpiresAt)) {
		expiry = current.ExpiresAt // with its fraction of a second, as in other reconciles, or Ready would flap
	}
	if s.Now.Before(expiry) {
		return expiry
	}
	setReady(s, status, metav1.ConditionFalse, v1alpha1.ReasonTokenExpired, tokenExpired+whatNext(s, status))
	return time.Time{}
}

// A RequestError says which request the API server refused or did not answer.
type RequestError struct {
	Verb, Resource, Name string
	Err                  error
}

func (e *RequestError) Error() string {
	return fmt.Sprintf("%s %s %s: %v", e.Verb, e.Resource, e.Name, e.Err)
}

func (e *RequestError) Unwrap() error { return e.Err }

// apiFailureReportedAfter is how long the API server may refuse requests before status says so.
const apiFailureReportedAfter = time.Minute

// An APIFailure says since when the API server has refused the requests that an object needs, and how often.
type APIFailure struct {
	Since    time.Time
	Failures int32
}

// Report returns the status of a reconcile that the API server has interrupted. reportAt is when it will say so (zero: it does already), expiresAt when
// Ready turns False.
func (f *APIFailure) Report(s *State, refused *RequestError, heldUpSince time.Time) (status v1alpha1.CDPCredentialStatus, reportAt, expiresAt time.Time) {
	if f.Since.IsZero() || s.Now.Before(f.Since) {
		f.Since = s.Now
	}
	status = *s.Object.Status.DeepCopy()
	since := f.Since
	if refreshedReason(&status) == "" { // an exchange that was held up before has not been reported either
		since = Earliest(since, heldUpSince)
	}
	reportAt = since.Add(apiFailureReportedAfter)
	if !s.Now.Before(reportAt) {
		reportUnavailable(s, refused, &status)
		reportAt = time.Time{}
	}
	return status, reportAt, reportExpiry(s, &status)
}
