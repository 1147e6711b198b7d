package controllers

import (
	"context"
	"errors"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
)

// apiFailureToldAfter is how long the API server may refuse a request before that is told.
const apiFailureToldAfter = time.Minute

// An apiFailure is since when the API server has refused what passes over an object ask of it, and how often.
type apiFailure struct {
	since    time.Time
	failures int32
}

// interrupted ends a pass that could not go on because of an error. The queue's back-off decides when it is tried again; but a refusal that lasts is
// told, and Ready turns False when the token expires, whatever happens.
func (r *CDPCredentialReconciler) interrupted(ctx context.Context, s *credential.State, mem *remembered, err error) (ctrl.Result, error) {
	refused, ok := errors.AsType[*credential.RequestError](err)
	if !ok || ctx.Err() != nil {
		return ctrl.Result{}, err
	}
	s.Now = r.Clock.Now()
	f := &mem.apiFailure
	if f.since.IsZero() || s.Now.Before(f.since) {
		f.since = s.Now
	}
	status := *s.Object.Status.DeepCopy()
	since := f.since
	if credential.RefreshedReason(&status) == "" { // nobody has been told of what the exchange waited for before
		since = credential.Sooner(since, mem.heldUpSince)
	}
	toldAt := since.Add(apiFailureToldAfter)
	if !s.Now.Before(toldAt) {
		credential.ReportUnavailable(s, refused, &status)
		toldAt = time.Time{}
	}
	expiresAt := credential.ReportExpiry(s, &status)
	local := r.clocks().LocalStatus(s, status)
	unsaved := mem.unsaved
	if _, saved := r.patchStatus(ctx, s.Object, s.SavedStatus, mem, local); saved != nil {
		mem.unsaved = unsaved // nothing has happened that the next pass could not find out: it is not to hide what another process has saved
		err = errors.Join(err, saved)
	} else {
		r.tell(s, &s.SavedStatus, &local)
	}
	again := s.Now.Add(credential.Doubled(retryFirst, retryMost, f.failures))
	f.failures++
	tooLate := !toldAt.IsZero() && toldAt.Before(again) || !expiresAt.IsZero() && expiresAt.Before(s.Now.Add(retryMost))
	if !tooLate {
		return ctrl.Result{}, err
	}
	// The queue might come back too late for that: it has counted other errors, too.
	ctrl.LoggerFrom(ctx).Error(err, "The API server refused a request")
	return ctrl.Result{RequeueAfter: max(credential.Sooner(again, toldAt, expiresAt).Sub(s.Now), time.Millisecond)}, nil
}

// blindView is a view without what the API server would have to be asked for.
func (r *CDPCredentialReconciler) blindView(ctx context.Context, obj *v1alpha1.CDPCredential, mem *remembered) *credential.State {
	s := r.viewOf(obj, mem)
	secret := secretMetadata(obj.Namespace, obj.Spec.Target.Name)
	if err := r.Client.Get(ctx, client.ObjectKeyFromObject(secret), secret); err == nil {
		s.Current.Persisted = r.clocks().ParsePersistedState(secret.Annotations[v1alpha1.StateAnnotation], obj.Name)
	}
	r.clocks().AdoptStatus(s)
	return s
}
