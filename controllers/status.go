package controllers

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/slimcache"
	"github.com/cdpcredentials/cdp-credential-operator/internal/telemetry"
)

// patchStatus writes status if it has changed: one request, last, so that Ready and the payload appear together. It reports whether the object is gone.
func (r *statusWriter) patchStatus(ctx context.Context, obj *v1alpha1.CDPCredential, saved v1alpha1.CDPCredentialStatus, cache *objectCache, status v1alpha1.CDPCredentialStatus) (gone bool, err error) {
	version := unconfirmedVersion(obj, &saved, cache)
	patch, err := credential.StatusPatch(obj.UID, version, &saved, &status)
	if err != nil {
		return false, err
	}
	if patch == nil {
		cache.unsaved = nil
		return false, nil
	}
	cache.unsaved = status.DeepCopy()
	after := &v1alpha1.CDPCredential{}
	after.Namespace, after.Name = obj.Namespace, obj.Name
	err = r.Client.Status().Patch(ctx, after, client.RawPatch(types.JSONPatchType, patch), client.FieldOwner(v1alpha1.ManagedBy))
	if apierrors.IsNotFound(err) {
		cache.unsaved = nil
		return true, nil
	} else if version != "" && apierrors.IsInvalid(err) {
		return r.outdated(ctx, obj, cache, err)
	} else if err != nil {
		return false, fmt.Errorf("patch status: %w", err)
	}
	cache.objectVersion, cache.unsaved = after.ResourceVersion, nil
	return false, nil
}

// A statusWriter writes status, and what follows from it: events and metrics.
type statusWriter struct {
	*reader
	metrics *telemetry.Metrics
}

// recordIssued tells of a token as soon as it is in the target: whatever fails after that, no later pass knows of it.
func (r *statusWriter) recordIssued(s *credential.State, result credential.Result) {
	if !result.Issued {
		return
	}
	r.metrics.Issued(client.ObjectKeyFromObject(s.Object), issuedMetrics(s, result))
	if !result.Routine {
		r.Recorder.Eventf(s.Object, secretReference(s.Object.Namespace, s.Target.Name), corev1.EventTypeNormal, v1alpha1.EventTokenRefreshed, "Refresh",
			"Wrote a new token to Secret %s", s.Target.Name)
	}
	for _, w := range result.Warnings {
		r.Recorder.Eventf(s.Object, nil, corev1.EventTypeWarning, w.Reason, "Refresh", "%s", w.Message)
	}
}

// recordEvents tells the events and metrics what status has changed to.
func (r *statusWriter) recordEvents(s *credential.State, before, status *v1alpha1.CDPCredentialStatus) {
	r.metrics.Observe(client.ObjectKeyFromObject(s.Object), objectMetrics(s, status))
	for _, kind := range []string{v1alpha1.ConditionRefreshed, v1alpha1.ConditionVerified} {
		if c := credential.NewFailure(before.Conditions, status.Conditions, kind); c != nil {
			r.Recorder.Eventf(s.Object, nil, corev1.EventTypeWarning, c.Reason, "Refresh", "%s", credential.Shorten(c.Message, maxNote))
		}
	}
	for _, w := range credential.NewRestartWarnings(before.RolloutRestart, status.RolloutRestart) {
		r.Recorder.Eventf(s.Object, workloadReference(s.Object.Namespace, v1alpha1.RolloutRestart{Kind: w.Kind, Name: w.Name}), corev1.EventTypeWarning, w.Reason, "RolloutRestart", "%s", credential.Shorten(w.Message, maxNote))
	}
}

// maxNote is the most that an event's note may have.
const maxNote = 1000

// issuedMetrics is what the metrics tell of a new token.
func issuedMetrics(s *credential.State, result credential.Result) telemetry.Issued {
	return telemetry.Issued{Endpoint: s.Desired.Endpoint.String(), Skew: result.Skew, Margin: result.Margin, Lateness: result.Lateness}
}

// objectMetrics is what an object's metrics say.
func objectMetrics(s *credential.State, status *v1alpha1.CDPCredentialStatus) telemetry.Object {
	object := telemetry.Object{
		Provider: s.Desired.Flow.Provider, Secret: s.Object.Spec.Target.Name, Suspended: s.Object.Spec.Suspend,
		Ready: meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady), Failing: failingConditions(status.Conditions),
	}
	if s.Desired.Endpoint != (egress.Endpoint{}) {
		object.Endpoint = slimcache.Intern(s.Desired.Endpoint.String())
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

// errOutdated says that status was decided on with an object that has changed since.
var errOutdated = errors.New("the object has changed since it was read")

// unconfirmedVersion is the version of an object that this process knows only from the list that it began with, which may be minutes old. What another
// process has written since is not to be mixed with what is changed of that: a backoff would get the time of a renewal. Empty: this process has read
// or written the object, or there is nothing in its status that could be lost.
func unconfirmedVersion(obj *v1alpha1.CDPCredential, saved *v1alpha1.CDPCredentialStatus, cache *objectCache) string {
	if cache.objectVersion != "" || saved.LastRefreshTime == nil && saved.LastAttempt == nil {
		return ""
	}
	return obj.ResourceVersion
}

// outdated finds out whether the object has changed since it was read: then it is decided on again once the cache shows that.
func (r *statusWriter) outdated(ctx context.Context, obj *v1alpha1.CDPCredential, cache *objectCache, refused error) (gone bool, err error) {
	live, err := r.readObject(ctx, obj)
	switch {
	case err != nil:
		return false, err
	case live == nil:
		cache.unsaved = nil
		return true, nil
	case live.ResourceVersion == obj.ResourceVersion:
		return false, fmt.Errorf("patch status: %w", refused)
	}
	cache.objectVersion, cache.unsaved, cache.target.Confirmed = live.ResourceVersion, nil, false
	return false, fmt.Errorf("patch status: %w", errOutdated)
}
