package controllers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// apiFailureToldAfter is how long the API server may refuse a request before that is told.
const apiFailureToldAfter = time.Minute

// A requestError says which request the API server refused, or did not answer.
type requestError struct {
	verb, resource, name string
	err                  error
}

func (e *requestError) Error() string {
	return fmt.Sprintf("%s %s %s: %v", e.verb, e.resource, e.name, e.err)
}
func (e *requestError) Unwrap() error { return e.err }

// An apiFailure is since when the API server has refused what passes over an object ask of it, and how often.
type apiFailure struct {
	since    time.Time
	failures int32
}

// interrupted ends a pass that could not go on because of an error. The queue's back-off decides when it is tried again; but a refusal that lasts is
// told, and Ready turns False when the token expires, whatever happens.
func (r *CDPCredentialReconciler) interrupted(ctx context.Context, v *view, mem *remembered, err error) (ctrl.Result, error) {
	refused, ok := errors.AsType[*requestError](err)
	if !ok || ctx.Err() != nil {
		return ctrl.Result{}, err
	}
	v.now = r.Clock.Now()
	f := &mem.apiFailure
	if f.since.IsZero() || v.now.Before(f.since) {
		f.since = v.now
	}
	status := *v.obj.Status.DeepCopy()
	since := f.since
	if refreshedReason(&status) == "" { // nobody has been told of what the exchange waited for before
		since = sooner(since, mem.heldUpSince)
	}
	toldAt := since.Add(apiFailureToldAfter)
	if !v.now.Before(toldAt) {
		reportUnavailable(v, refused, &status)
		toldAt = time.Time{}
	}
	expiresAt := reportExpiry(v, &status)
	local := r.localStatus(v, status)
	unsaved := mem.unsaved
	if _, saved := r.patchStatus(ctx, v.obj, v.saved, mem, local); saved != nil {
		mem.unsaved = unsaved // nothing has happened that the next pass could not find out: it is not to hide what another process has saved
		err = errors.Join(err, saved)
	} else {
		r.tell(v, &v.saved, &local)
	}
	again := v.now.Add(doubled(retryFirst, retryMost, f.failures))
	f.failures++
	tooLate := !toldAt.IsZero() && toldAt.Before(again) || !expiresAt.IsZero() && expiresAt.Before(v.now.Add(retryMost))
	if !tooLate {
		return ctrl.Result{}, err
	}
	// The queue might come back too late for that: it has counted other errors, too.
	ctrl.LoggerFrom(ctx).Error(err, "The API server refused a request")
	return ctrl.Result{RequeueAfter: max(sooner(again, toldAt, expiresAt).Sub(v.now), time.Millisecond)}, nil
}

// blindView is a view without what the API server would have to be asked for.
func (r *CDPCredentialReconciler) blindView(ctx context.Context, obj *v1alpha1.CDPCredential, mem *remembered) *view {
	v := r.viewOf(obj, mem)
	secret := secretMetadata(obj.Namespace, obj.Spec.Target.Name)
	if err := r.Client.Get(ctx, client.ObjectKeyFromObject(secret), secret); err == nil {
		v.held.rec = r.parseRecord(secret.Annotations[v1alpha1.StateAnnotation], obj.Name)
	}
	r.adoptStatus(v)
	return v
}

// reportUnavailable says what the API server refuses, unless an attempt's failure is told and still waited out.
func reportUnavailable(v *view, e *requestError, status *v1alpha1.CDPCredentialStatus) {
	was := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionRefreshed)
	if last, next := status.LastAttempt, status.NextRefreshTime; last != nil && !last.Superseded && last.Generation == v.obj.Generation {
		if next != nil && v.now.Before(next.Time) || next == nil && untilAChange(refreshedReason(status)) {
			return
		}
	}
	refusal, advice := fmt.Sprintf("the API server refuses the operator's request to %s %s %s ", e.verb, e.resource, e.name), adviceFor(e.err)
	message := fmt.Sprintf("%s(%s)%s", refusal, cmp.Or(string(apierrors.ReasonForError(e.err)), "no answer"), advice)
	if was != nil && was.Reason == v1alpha1.ReasonAPIUnavailable && strings.HasPrefix(was.Message, refusal) && strings.HasSuffix(was.Message, advice) {
		message = was.Message // a busy API server has several ways to say so
	}
	status.ObservedGeneration = v.obj.Generation
	status.NextRefreshTime = nil
	set(v, status, v1alpha1.ConditionRefreshed, metav1.ConditionFalse, v1alpha1.ReasonAPIUnavailable, message)
	set(v, status, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonAPIUnavailable, message)
	remove(status, v1alpha1.ConditionStalled)
	status.Reason = summary(v.obj.Spec.Suspend, status)
}

func adviceFor(err error) string {
	if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) {
		return ": ask whoever runs the cluster to give the operator its role back (config/rbac)"
	}
	return ": ask whoever runs the cluster about the API server's health, and its priority and fairness; it is tried again by itself"
}

// reportExpiry turns Ready False if the token that status tells of has expired. Else it says when it will; zero: there is none that matters.
func reportExpiry(v *view, status *v1alpha1.CDPCredentialStatus) time.Time {
	if status.TokenExpirationTime == nil || !meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady) {
		return time.Time{}
	}
	at := status.TokenExpirationTime.Time
	if rec := v.held.rec; rec != nil && status.TokenExpirationTime.Equal(wholeSecond(rec.ExpiresAt)) {
		at = rec.ExpiresAt // to the fraction of a second, as every other pass has it: else Ready would flap
	}
	if v.now.Before(at) {
		return at
	}
	sayReady(v, status, metav1.ConditionFalse, v1alpha1.ReasonTokenExpired, tokenExpired+next(v, status))
	return time.Time{}
}
