// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// ObjectOf is what an object's metrics say.
func ObjectOf(spec *v1alpha1.CDPCredentialSpec, status *v1alpha1.CDPCredentialStatus, provider, endpoint string) Object {
	object := Object{
		Provider: provider, Endpoint: endpoint, Secret: spec.Target.Name, Suspended: spec.Suspend,
		Ready: meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady), Failing: FailingConditions(status.Conditions),
	}
	if t := status.TokenExpirationTime; t != nil {
		object.TokenExpiration = t.Unix()
	}
	if t := status.NextRefreshTime; t != nil {
		object.NextRefresh = t.Unix()
	}
	return object
}

// FailingConditions are those that say that something is wrong: at most one of the refresh, and one of the verification. Suspension is nothing wrong.
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
