package controllers

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/slimcache"
	"github.com/cdpcredentials/cdp-credential-operator/internal/telemetry"
)

// tellIssued tells of a token as soon as it is in the target: whatever fails after that, no later pass knows of it.
func (r *CDPCredentialReconciler) tellIssued(v *view, out outcome) {
	if !out.issued {
		return
	}
	r.Metrics.Issued(client.ObjectKeyFromObject(v.obj), issuedMetrics(v, out))
	if !out.routine {
		r.Recorder.Eventf(v.obj, secretReference(v.obj.Namespace, v.target.name), corev1.EventTypeNormal, v1alpha1.EventTokenRefreshed, "Refresh",
			"Wrote a new token to Secret %s", v.target.name)
	}
	for _, w := range out.warnings {
		r.Recorder.Eventf(v.obj, nil, corev1.EventTypeWarning, w.reason, "Refresh", "%s", w.message)
	}
}

// tell tells the events and metrics what status has changed to.
func (r *CDPCredentialReconciler) tell(v *view, before, status *v1alpha1.CDPCredentialStatus) {
	r.Metrics.Observe(client.ObjectKeyFromObject(v.obj), objectMetrics(v, status))
	for _, kind := range []string{v1alpha1.ConditionRefreshed, v1alpha1.ConditionVerified} {
		if c := newFailure(before.Conditions, status.Conditions, kind); c != nil {
			r.Recorder.Eventf(v.obj, nil, corev1.EventTypeWarning, c.Reason, "Refresh", "%s", shorten(c.Message, maxNote))
		}
	}
	for _, w := range newObstacles(before.RolloutRestart, status.RolloutRestart) {
		r.Recorder.Eventf(v.obj, workloadReference(v.obj.Namespace, v1alpha1.RolloutRestart{Kind: w.Kind, Name: w.Name}), corev1.EventTypeWarning, w.Reason, "RolloutRestart", "%s", shorten(w.Message, maxNote))
	}
}

// maxNote is the most that an event's note may have.
const maxNote = 1000

// issuedMetrics is what the metrics tell of a new token.
func issuedMetrics(v *view, out outcome) telemetry.Issued {
	return telemetry.Issued{Endpoint: v.intent.endpoint.String(), Skew: out.skew, Margin: out.margin, Lateness: out.lateness}
}

// objectMetrics is what an object's metrics say.
func objectMetrics(v *view, status *v1alpha1.CDPCredentialStatus) telemetry.Object {
	object := telemetry.Object{
		Provider: v.intent.flow.Provider, Secret: v.obj.Spec.Target.Name, Suspended: v.obj.Spec.Suspend,
		Ready: meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady), Failing: failingConditions(status.Conditions),
	}
	if v.intent.endpoint != (egress.Endpoint{}) {
		object.Endpoint = slimcache.Intern(v.intent.endpoint.String())
	}
	if t := status.TokenExpirationTime; t != nil {
		object.TokenExpiration = t.Unix()
	}
	if t := status.NextRefreshTime; t != nil {
		object.NextRefresh = t.Unix()
	}
	return object
}

// failingConditions are those that say that something is wrong: at most one of the refresh, and one of the verification. Suspension is nothing wrong.
func failingConditions(conditions []metav1.Condition) []telemetry.FailingCondition {
	var failing []telemetry.FailingCondition
	for _, kind := range []string{v1alpha1.ConditionStalled, v1alpha1.ConditionReconciling} {
		if c := meta.FindStatusCondition(conditions, kind); c != nil && c.Status == metav1.ConditionTrue {
			failing = append(failing, telemetry.FailingCondition{Condition: kind, Reason: c.Reason})
		}
	}
	if c := meta.FindStatusCondition(conditions, v1alpha1.ConditionVerified); c != nil && c.Status == metav1.ConditionFalse {
		failing = append(failing, telemetry.FailingCondition{Condition: c.Type, Reason: c.Reason})
	}
	return failing
}
