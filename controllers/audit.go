package controllers

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/telemetry"
)

// audit writes the one line of an attempt: which Secret was sent where, for which object and why. Its keys are an interface (docs/operations.md). It has
// names and reasons only.
func audit(ctx context.Context, s *credential.State, plan credential.Plan, err error) {
	if !s.Desired.Flow.Exchanges() {
		return // nothing leaves the cluster
	}
	result, reason := exchangeResult(plan.Action, err)
	ctrl.LoggerFrom(ctx).WithName("audit").Info("Exchange",
		"credential", credential.ObjectName(s.Object), "secret", s.Object.Spec.ClientSecretRef.Name, "target", s.Object.Spec.Target.Name,
		"host", s.Desired.Endpoint.String(), "provider", s.Desired.Flow.Provider, "cause", string(plan.Cause), "result", result, "reason", reason)
}

// exchangeResult is what the audit line and the metric say of an attempt.
func exchangeResult(did credential.Action, err error) (result, reason string) {
	switch {
	case err != nil:
		return telemetry.Failure, credential.ReasonOf(err)
	case did == credential.ActionUpdate:
		return telemetry.Success, "ResourcesUpdated" // the same token
	}
	return telemetry.Success, v1alpha1.ReasonTokenIssued
}
