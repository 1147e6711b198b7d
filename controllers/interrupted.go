package controllers

import (
	"context"
	"errors"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
)

// apiFailureToldAfter is how long the API server may refuse a request before that is told.
const apiFailureToldAfter = time.Minute

// interrupted ends a pass that could not go on because of an error. The queue's back-off decides when it is tried again; but a refusal that lasts is
// told, and Ready turns False when the token expires, whatever happens.
func (r *statusWriter) interrupted(ctx context.Context, s *credential.State, cache *objectCache, err error) (ctrl.Result, error) {
	refused, ok := errors.AsType[*credential.RequestError](err)
	if !ok || ctx.Err() != nil {
		return ctrl.Result{}, err
	}
	s.Now = r.Clock.Now()
	f := &cache.apiFailure
	if f.Since.IsZero() || s.Now.Before(f.Since) {
		f.Since = s.Now
	}
	status := *s.Object.Status.DeepCopy()
	since := f.Since
	if credential.RefreshedReason(&status) == "" { // nobody has been told of what the exchange waited for before
		since = credential.Sooner(since, cache.token.HeldUpSince)
	}
	toldAt := since.Add(apiFailureToldAfter)
	if !s.Now.Before(toldAt) {
		credential.ReportUnavailable(s, refused, &status)
		toldAt = time.Time{}
	}
	expiresAt := credential.ReportExpiry(s, &status)
	local := r.clocks().LocalStatus(s, status)
	unsaved := cache.unsaved
	if _, saved := r.patchStatus(ctx, s.Object, s.SavedStatus, cache, local); saved != nil {
		cache.unsaved = unsaved // nothing has happened that the next pass could not find out: it is not to hide what another process has saved
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
	// The queue might come back too late for that: it has counted other errors, too.
	ctrl.LoggerFrom(ctx).Error(err, "The API server refused a request")
	return ctrl.Result{RequeueAfter: max(credential.Sooner(again, toldAt, expiresAt).Sub(s.Now), time.Millisecond)}, nil
}
