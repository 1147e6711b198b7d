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

// A RequestError says which request the API server refused, or did not answer.
type RequestError struct {
	Verb, Resource, Name string
	Err                  error
}

func (e *RequestError) Error() string {
	return fmt.Sprintf("%s %s %s: %v", e.Verb, e.Resource, e.Name, e.Err)
}
func (e *RequestError) Unwrap() error { return e.Err }

// ReportUnavailable says what the API server refuses, unless an attempt's failure is told and still waited out.
func ReportUnavailable(s *State, e *RequestError, status *v1alpha1.CDPCredentialStatus) {
	was := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionRefreshed)
	if last, next := status.LastAttempt, status.NextRefreshTime; last != nil && !last.Superseded && last.Generation == s.Object.Generation {
		if next != nil && s.Now.Before(next.Time) || next == nil && untilAChange(RefreshedReason(status)) {
			return
		}
	}
	refusal, advice := fmt.Sprintf("the API server refuses the operator's request to %s %s %s ", e.Verb, e.Resource, e.Name), adviceFor(e.Err)
	message := fmt.Sprintf("%s(%s)%s", refusal, cmp.Or(string(apierrors.ReasonForError(e.Err)), "no answer"), advice)
	if was != nil && was.Reason == v1alpha1.ReasonAPIUnavailable && strings.HasPrefix(was.Message, refusal) && strings.HasSuffix(was.Message, advice) {
		message = was.Message // a busy API server has several ways to say so
	}
	status.ObservedGeneration = s.Object.Generation
	status.NextRefreshTime = nil
	set(s, status, v1alpha1.ConditionRefreshed, metav1.ConditionFalse, v1alpha1.ReasonAPIUnavailable, message)
	set(s, status, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonAPIUnavailable, message)
	remove(status, v1alpha1.ConditionStalled)
	status.Reason = summary(s.Object.Spec.Suspend, status)
}

func adviceFor(err error) string {
	if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) {
		return ": ask whoever runs the cluster to give the operator its role back (config/rbac)"
	}
	return ": ask whoever runs the cluster about the API server's health, and its priority and fairness; it is tried again by itself"
}

// ReportExpiry turns Ready False if the token that status tells of has expired. Else it says when it will; zero: there is none that matters.
func ReportExpiry(s *State, status *v1alpha1.CDPCredentialStatus) time.Time {
	if status.TokenExpirationTime == nil || !meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady) {
		return time.Time{}
	}
	at := status.TokenExpirationTime.Time
	if rec := s.Current.Persisted; rec != nil && status.TokenExpirationTime.Equal(wholeSecond(rec.ExpiresAt)) {
		at = rec.ExpiresAt // to the fraction of a second, as every other reconcile has it: else Ready would flap
	}
	if s.Now.Before(at) {
		return at
	}
	sayReady(s, status, metav1.ConditionFalse, v1alpha1.ReasonTokenExpired, tokenExpired+next(s, status))
	return time.Time{}
}
