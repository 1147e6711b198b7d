// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// An Object has the values of the series of one CDPCredential. Its zero value is an object that is not ready.
type Object struct {
	// Provider is the kind of provider, Endpoint the host and port that is called, and Secret the name of the target Secret. Empty: unknown or none.
	// They are kept as long as the object exists, so intern what many objects share.
	Provider, Endpoint, Secret string
	// TokenExpiration and NextRefresh are Unix times in seconds. Zero: unknown, so there is no series.
	TokenExpiration, NextRefresh int64
	// Ready reports whether the target Secret holds an unexpired token, Suspended whether spec.suspend is set.
	Ready, Suspended bool
	// Failing are the conditions that indicate a failure.
	Failing []FailingCondition
}

// A FailingCondition is a condition that indicates a failure, and its reason.
type FailingCondition struct{ Condition, Reason string }

// ObjectOf returns the values of an object's series.
func ObjectOf(spec *v1alpha1.CDPCredentialSpec, status *v1alpha1.CDPCredentialStatus, provider, endpoint string) Object {
	object := Object{
		Provider: provider, Endpoint: endpoint, Secret: spec.Target.Name, Suspended: spec.Suspend,
		Ready: meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady),
	}
	if !spec.Suspend { // Verified keeps what the API said last, but no exchange follows from it
		object.Failing = FailingConditions(status.Conditions)
	}
	if t := status.TokenExpirationTime; t != nil {
		object.TokenExpiration = t.Unix()
	}
	if t := status.NextRefreshTime; t != nil {
		object.NextRefresh = t.Unix()
	}
	return object
}

// FailingConditions returns the conditions that indicate a failure: at most one of the refresh, and one of the verification. Suspension is not a
// failure.
func FailingConditions(conditions []metav1.Condition) []FailingCondition {
	var failing []FailingCondition
	for _, kind := range []string{v1alpha1.ConditionStalled, v1alpha1.ConditionReconciling} {
		if c := meta.FindStatusCondition(conditions, kind); c != nil && c.Status == metav1.ConditionTrue {
			failing = append(failing, FailingCondition{Condition: kind, Reason: c.Reason})
		}
	}
	if c := meta.FindStatusCondition(conditions, v1alpha1.ConditionVerified); c != nil && c.Status == metav1.ConditionFalse {
		failing = append(failing, FailingCondition{Condition: c.Type, Reason: c.Reason})
	}
	return failing
}
