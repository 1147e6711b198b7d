package controllers

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// tellIssued tells of a token as soon as it is in the target: whatever fails after that, no later pass knows of it.
func (r *CDPCredentialReconciler) tellIssued(v *view, out outcome) {
	if !out.issued {
		return
	}
	r.Metrics.issued(v, out)
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
	r.Metrics.observe(v, status)
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
