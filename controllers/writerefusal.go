package controllers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// A writeRefusal says who did not let the target Secret be written. The API server's text is not shown: a policy's may quote what was written.
type writeRefusal struct {
	// answer is the HTTP status and its reason.
	answer string
	// by names the policy, webhook or quota, as far as it is known.
	by string
	// rights says that it was the operator's role.
	rights bool
}

// refusals are how the API server begins to say who refuses a write. What follows is the refuser's own text, which cannot come before it.
var refusals = []struct {
	by      string
	pattern *regexp.Regexp
}{
	{"ValidatingAdmissionPolicy", regexp.MustCompile(`^secrets(?: "[^"]*")? is forbidden: ValidatingAdmissionPolicy '([a-z0-9.-]{1,253})' with binding `)},
	{"ResourceQuota", regexp.MustCompile(`^secrets(?: "[^"]*")? is forbidden: (?:exceeded|failed) quota: ([a-z0-9.-]{1,253})[,:]`)},
	{"admission webhook", regexp.MustCompile(`^(?:secrets(?: "[^"]*")? is forbidden: )?admission webhook "([a-z0-9.-]{1,253})" denied the request`)},
	{"admission webhook", regexp.MustCompile(`^Internal error occurred: failed calling webhook "([a-z0-9.-]{1,253})": `)},
}

var lacksRights = regexp.MustCompile(`^secrets(?: "[^"]*")? is forbidden: User "`)

// writeRefusalOf tells a refusal, which only somebody else can end, from trouble that passes.
func writeRefusalOf(err error) (writeRefusal, bool) {
	var api apierrors.APIStatus
	if !errors.As(err, &api) {
		return writeRefusal{}, false
	}
	said := api.Status()
	var w writeRefusal
	for _, r := range refusals {
		if match := r.pattern.FindStringSubmatch(said.Message); match != nil {
			w.by = r.by + " " + match[1]
			break
		}
	}
	w.rights = lacksRights.MatchString(said.Message)
	w.answer = fmt.Sprintf("HTTP %d %s", said.Code, reasonShown(said))
	return w, w.by != "" || refuses(said.Code)
}

// refuses reports whether an HTTP status is a refusal: 4xx without those that are about a race, or about load.
func refuses(code int32) bool {
	switch code {
	case http.StatusNotFound, http.StatusConflict, http.StatusTooManyRequests, http.StatusRequestTimeout:
		return false
	}
	return code >= 400 && code < 500
}

// reasonShown is the reason of a status, where it is one of the API server's and not a webhook's own.
func reasonShown(said metav1.Status) string {
	switch said.Reason {
	case metav1.StatusReasonForbidden, metav1.StatusReasonInvalid, metav1.StatusReasonBadRequest, metav1.StatusReasonRequestEntityTooLarge,
		metav1.StatusReasonUnauthorized, metav1.StatusReasonMethodNotAllowed, metav1.StatusReasonInternalError:
		return string(said.Reason)
	}
	return http.StatusText(int(said.Code))
}

// failure is what is reported of a refusal.
func (w writeRefusal) failure(v *view) *failure {
	advice := "ask whoever runs the cluster for its admission policies"
	switch {
	case w.rights:
		advice = "ask whoever runs the cluster to give the operator its role back (config/rbac)"
	case w.by != "":
		advice = "ask whoever runs the cluster what it wants, or change spec.target"
	}
	f := &failure{reason: v1alpha1.ReasonTargetUnusable, stalled: true, attempted: true, writeRefused: true}
	f.message = fmt.Sprintf("the API server refuses the write of Secret %s (%s%s): %s; it is tried again by itself", v.target.name, w.answer, w.shownBy(), advice)
	f.retryAt = v.now.Add(doubled(30*time.Second, 10*time.Minute, v.obj.Status.WriteRefusals))
	return f
}

func (w writeRefusal) shownBy() string {
	if w.by == "" {
		return ""
	}
	return ", by " + w.by
}

// unwritten says what comes of a write that failed.
func (r *CDPCredentialReconciler) unwritten(ctx context.Context, v *view, mem *remembered, err error) (outcome, error) {
	if foreign, ok := errors.AsType[*notOursError](err); ok {
		v.target = foreign.target
		return outcome{failure: obstacle(v, nothing)}, nil
	}
	switch {
	case errors.Is(err, errSuperseded):
		mem.pending = nil
		return outcome{}, err
	case errors.Is(err, errNamespaceTerminating):
		mem.terminating, mem.pending = true, nil
		return outcome{waiting: true}, nil
	}
	refusal, ok := writeRefusalOf(err)
	if !ok {
		return outcome{}, err
	}
	ctrl.LoggerFrom(ctx).Info("The API server refused to have the target Secret written", "secret", v.target.name, "answer", refusal.answer, "by", refusal.by)
	return outcome{failure: refusal.failure(v)}, nil
}

// placeholder is written in a rehearsal in place of a token.
const placeholder = "placeholder-for-a-token"

// rehearse has the API server try the write of the target without doing it: after a refusal no token is asked for that could not be written either. It
// gives what is in the way.
func (r *CDPCredentialReconciler) rehearse(ctx context.Context, v *view, mem *remembered, s step, req exchange.Request) (outcome, error) {
	if v.obj.Status.WriteRefusals == 0 || !v.intent.flow.Exchanges() {
		return outcome{}, nil
	}
	life := token.Life{IssuedAt: v.now, ExpiresAt: v.now.Add(time.Hour)}
	p, err := r.publicationOf(v, step{action: issue, cause: s.cause}, req, exchange.Token{Value: placeholder, Type: "Bearer", Life: life})
	if err != nil {
		return outcome{}, err
	}
	p.rehearsal = true
	if _, err = r.write(ctx, v, mem, p); err == nil {
		return outcome{}, nil
	}
	return r.unwritten(ctx, v, mem, err)
}
