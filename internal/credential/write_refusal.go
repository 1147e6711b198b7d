// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A writeRefusal says who refuses to let us write the target Secret. It has no text of the API server: a policy's may quote what was to be written.
type writeRefusal struct {
	// Answer is the HTTP status and its reason.
	Answer string
	// By names the policy, webhook or quota. Empty: unknown.
	By string
	// Rights says that the operator's role does not suffice.
	Rights bool
}

// refusals are the beginnings of the API server's messages. What follows is the refuser's own text, which cannot imitate another beginning.
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

// WriteRefusalOf tells a refusal, which only somebody else can lift, from an error that passes.
func WriteRefusalOf(err error) (writeRefusal, bool) {
	var api apierrors.APIStatus
	if !errors.As(err, &api) {
		return writeRefusal{}, false
	}
	status := api.Status()
	w := writeRefusal{Answer: fmt.Sprintf("HTTP %d %s", status.Code, reasonShown(status)), Rights: lacksRights.MatchString(status.Message)}
	for _, r := range refusals {
		if match := r.pattern.FindStringSubmatch(status.Message); match != nil {
			w.By = r.by + " " + match[1]
			break
		}
	}
	return w, w.By != "" || refuses(status.Code)
}

// refuses reports whether an HTTP status is a refusal: any 4xx, except those that are about a race or about load.
func refuses(code int32) bool {
	switch code {
	case http.StatusNotFound, http.StatusConflict, http.StatusTooManyRequests, http.StatusRequestTimeout:
		return false
	}
	return code >= 400 && code < 500
}

// reasonShown returns the reason only if it is one of the API server's: a webhook may write any text there.
func reasonShown(status metav1.Status) string {
	switch status.Reason {
	case metav1.StatusReasonForbidden, metav1.StatusReasonInvalid, metav1.StatusReasonBadRequest, metav1.StatusReasonRequestEntityTooLarge,
		metav1.StatusReasonUnauthorized, metav1.StatusReasonMethodNotAllowed, metav1.StatusReasonInternalError:
		return string(status.Reason)
	}
	return http.StatusText(int(status.Code))
}

// Failure is what is reported of a refusal.
func (w writeRefusal) Failure(s *State) *Failure {
	advice := "ask whoever runs the cluster for its admission policies"
	switch {
	case w.Rights:
		advice = "ask whoever runs the cluster to restore the operator's role (config/rbac)"
	case w.By != "":
		advice = "ask whoever runs the cluster what it wants, or change spec.target"
	}
	answer := w.Answer
	if w.By != "" {
		answer += ", by " + w.By
	}
	return &Failure{
		Reason: v1alpha1.ReasonTargetUnusable, Stalled: true, Attempted: true, WriteRefused: true,
		Message: fmt.Sprintf("the API server refuses the write of Secret %s (%s): %s; the operator retries", s.Target.Name, answer, advice),
		RetryAt: s.Now.Add(Doubled(30*time.Second, 10*time.Minute, s.Object.Status.WriteRefusals)),
	}
}
