package controllers

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/telemetry"
)

// audit writes the one line of an attempt: which Secret was sent where, for which object and why. Its keys are an interface (docs/operations.md). It has
// names and reasons only.
func audit(ctx context.Context, v *view, s step, err error) {
	if !v.intent.flow.Exchanges() {
		return // nothing leaves the cluster
	}
	result, reason := exchangeResult(s.action, err)
	ctrl.LoggerFrom(ctx).WithName("audit").Info("Exchange",
		"credential", objectName(v.obj), "secret", v.obj.Spec.ClientSecretRef.Name, "target", v.obj.Spec.Target.Name,
		"host", v.intent.endpoint.String(), "provider", v.intent.flow.Provider, "cause", string(s.cause), "result", result, "reason", reason)
}

// exchangeResult is what the audit line and the metric say of an attempt.
func exchangeResult(did action, err error) (result, reason string) {
	switch {
	case err != nil:
		return telemetry.Failure, reasonOf(err)
	case did == update:
		return telemetry.Success, "ResourcesUpdated" // the same token
	}
	return telemetry.Success, v1alpha1.ReasonTokenIssued
}

// reasonOf is failureOf's reason, where there is no object to fail.
func reasonOf(err error) string {
	if f := failureOf(&view{obj: &v1alpha1.CDPCredential{}}, err, 0); f != nil {
		return f.reason
	}
	return v1alpha1.ReasonEndpointUnavailable
}
