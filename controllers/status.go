// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/slimcache"
	"github.com/cdpcredentials/cdp-credential-operator/internal/telemetry"
)

// A statusWriter writes status, and the events and metrics that follow from it.
type statusWriter struct {
	*reader
	metrics *telemetry.Metrics
}

// interrupted ends a reconcile that an error of the API server stopped. The queue's backoff decides when to retry. If the error lasts it is reported,
// and Ready turns False when the token expires in any case.
func (r *statusWriter) interrupted(ctx context.Context, s *credential.State, cache *credential.ObjectCache, err error) (ctrl.Result, error) {
	refused, ok := errors.AsType[*credential.RequestError](err)
	if !ok || ctx.Err() != nil {
		return ctrl.Result{}, err
	}
	s = s.At(r.Clock.Now())
	f := &cache.APIFailure
	status, toldAt, expiresAt := f.Report(s, refused, cache.Token.HeldUpSince)
	local := r.clocks().LocalStatus(s, status)
	unsaved := cache.Unsaved
	if _, saved := r.patchStatus(ctx, s.Object, s.SavedStatus, cache, local); saved != nil {
		cache.Unsaved = unsaved // the next reconcile finds it all out again; keeping it could hide what another process saves
		err = errors.Join(err, saved)
	} else {
		r.recordEvents(s, &s.SavedStatus, &local)
	}
	again := s.Now.Add(credential.Doubled(retryFirst, retryMost, f.Failures))
	f.Failures++
	tooLate := !toldAt.IsZero() && toldAt.Before(again) || !expiresAt.IsZero() && expiresAt.Before(s.Now.Add(retryMost))
	if !tooLate {
		return ctrl.Result{}, err
	}
	// The queue's backoff may be longer than that, as it counts other errors too.
	ctrl.LoggerFrom(ctx).Error(err, "The API server refused a request")
	return ctrl.Result{RequeueAfter: max(credential.Earliest(again, toldAt, expiresAt).Sub(s.Now), credential.Immediately)}, nil
}

// tellLoss sets Ready to False before a new token is requested, which may take a while. It returns the state with that status, or that the object is
// gone.
func (r *statusWriter) tellLoss(ctx context.Context, s *credential.State, cache *credential.ObjectCache) (told *credential.State, gone bool, err error) {
	status := credential.LossStatus(s)
	local := r.clocks().LocalStatus(s, status)
	gone, err = r.patchStatus(ctx, s.Object, s.SavedStatus, cache, local)
	return s.WithStatus(status, local), gone, err
}

// patchStatus writes status if it has changed, after the target, so that Ready=True never precedes the token. It reports whether the object is gone.
func (r *statusWriter) patchStatus(ctx context.Context, obj *v1alpha1.CDPCredential, saved v1alpha1.CDPCredentialStatus, cache *credential.ObjectCache, status v1alpha1.CDPCredentialStatus) (gone bool, err error) {
	version := cache.UnconfirmedVersion(obj, &saved)
	patch, err := credential.StatusPatch(obj.UID, version, &saved, &status)
	if err != nil {
		return false, err
	}
	if patch == nil {
		cache.Unsaved = nil
		return false, nil
	}
	cache.Unsaved = status.DeepCopy()
	after := &v1alpha1.CDPCredential{}
	after.Namespace, after.Name = obj.Namespace, obj.Name
	err = r.Client.Status().Patch(ctx, after, client.RawPatch(types.JSONPatchType, patch), client.FieldOwner(v1alpha1.ManagedBy))
	if apierrors.IsNotFound(err) {
		cache.Unsaved = nil
		return true, nil
	} else if version != "" && apierrors.IsInvalid(err) {
		return r.outdated(ctx, obj, cache, err)
	} else if err != nil {
		return false, fmt.Errorf("patch status: %w", err)
	}
	cache.ObjectVersion, obj.ResourceVersion, cache.Unsaved = after.ResourceVersion, after.ResourceVersion, nil
	return false, nil
}

// recordIssued records events and metrics of a new token as soon as it is in the target: if a later step fails, no other reconcile would know of it.
func (r *statusWriter) recordIssued(s *credential.State, result credential.Result) {
	issued := result.Issued
	if issued == nil {
		return
	}
	r.metrics.Issued(client.ObjectKeyFromObject(s.Object), issuedMetrics(s, issued))
	if !issued.Routine {
		r.Recorder.Eventf(s.Object, credential.SecretReference(s.Object.Namespace, s.Target.Name), corev1.EventTypeNormal, v1alpha1.EventTokenRefreshed, "Refresh",
			"Wrote a new token to Secret %s", s.Target.Name)
	}
	for _, w := range issued.Warnings {
		r.Recorder.Eventf(s.Object, nil, corev1.EventTypeWarning, w.Reason, "Refresh", "%s", w.Message)
	}
}

// recordEvents records the events and metrics of a status change.
func (r *statusWriter) recordEvents(s *credential.State, before, status *v1alpha1.CDPCredentialStatus) {
	r.metrics.Observe(client.ObjectKeyFromObject(s.Object), objectMetrics(s, status))
	for _, kind := range []string{v1alpha1.ConditionRefreshed, v1alpha1.ConditionVerified} {
		if c := credential.NewFailure(before.Conditions, status.Conditions, kind); c != nil {
			r.Recorder.Eventf(s.Object, nil, corev1.EventTypeWarning, c.Reason, "Refresh", "%s", credential.Note(c.Message))
		}
	}
	if w := credential.NewPodsWarning(before.Pods, status.Pods); w != nil {
		r.Recorder.Eventf(s.Object, nil, corev1.EventTypeWarning, w.Reason, "RefreshPods", "%s", w.Message)
	}
	for _, w := range credential.NewRestartWarnings(before.RolloutRestart, status.RolloutRestart) {
		r.Recorder.Eventf(s.Object, credential.WorkloadReference(s.Object.Namespace, v1alpha1.RolloutRestart{Kind: w.Kind, Name: w.Name}), corev1.EventTypeWarning, w.Reason, "RolloutRestart", "%s", credential.Note(w.Message))
	}
}

// issuedMetrics returns the metrics of a new token.
func issuedMetrics(s *credential.State, issued *credential.IssuedToken) telemetry.Issued {
	return telemetry.Issued{Endpoint: s.Desired.Endpoint.String(), Skew: issued.Skew, Margin: issued.Margin, Lateness: issued.Lateness}
}

// objectMetrics returns the metrics of an object.
func objectMetrics(s *credential.State, status *v1alpha1.CDPCredentialStatus) telemetry.Object {
	endpoint := ""
	if s.Desired.Endpoint != (egress.Endpoint{}) {
		endpoint = slimcache.Intern(s.Desired.Endpoint.String())
	}
	return telemetry.ObjectOf(&s.Object.Spec, status, s.Desired.Flow.Provider, endpoint)
}

// outdated reports whether the object has changed since it was read. Then it is reconciled again once the cache shows the change.
func (r *statusWriter) outdated(ctx context.Context, obj *v1alpha1.CDPCredential, cache *credential.ObjectCache, refused error) (gone bool, err error) {
	live, err := r.readObject(ctx, obj)
	switch {
	case err != nil:
		return false, err
	case live == nil:
		cache.Unsaved = nil
		return true, nil
	case live.ResourceVersion == obj.ResourceVersion:
		return false, fmt.Errorf("patch status: %w", refused)
	}
	cache.ObjectVersion, cache.Unsaved, cache.Target.Confirmed = live.ResourceVersion, nil, false
	return false, fmt.Errorf("patch status: %w", credential.ErrOutdated)
}
